"""The pages, by families: each has its addresses in `urls`, its doors in `views`, what it asks in `forms`.

For patients: `finding` a time, `booking` it, their `appointments`, their `family`, `questions` before a visit,
`messages` and calendar `feeds`; `account` is what signing in needs, `oauth` lets apps in. For those who work here:
`staff`, with the `board` of the day, the `calendar`, each of its `visits`, and the `hours`. `demo` shows what the demo
has sent. `common` is what several of them need. A family knows those below it and none beside it: see the contracts in
pyproject.toml. Templates lie in templates/portal/, by page.
"""
