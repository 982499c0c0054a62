"""What leaves the building: portal notices, e-mail, letters, webhooks."""
