"""How a request becomes arguments and a result becomes an answer; nothing here knows a noun."""
