"""National Referral Mechanism engine: people, cases and referrals, driven by BPMN paths."""
