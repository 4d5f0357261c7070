"""The web pages, one package for each group of pages: URL patterns in `urls`, views in `views`, forms in `forms`.

For patients: `finding` a time, `booking` it, `appointments` (their visits), `family`, `questions` before a visit, the
`waitlist`, `messages` and calendar `feeds`; `account` for signing in, and `oauth` for the apps that a patient lets in.
For staff: `staff`, with the `board` of the day, the `calendar`, the `visits`, the `worklist` and the `hours`. `common`
is used by all of them. A package imports only those below it, as the contracts in pyproject.toml list them. The
templates of a package are in templates/portal/<package>/.
"""
