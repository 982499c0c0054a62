"""The demonstration: invented people and cases in every stage, made through the same actions that real work uses.

What is told stands in the country pack (`demo/users.json`, `demo/answers.json`, `demo/cases.json`); how a story is
told stands here. Stories begin in the past and end today, with the runner's work done in between.
"""
