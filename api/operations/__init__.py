"""FHIR operations, by dialect: https://hl7.org/fhir/R4/operations.html

`registry` lists them all, `urls` their addresses. `views` answers $find, $hold and $book in the dialect of the request:
`medplum` (also $confirm, $cancel and $reschedule) or `argonaut` (also IHE's, and $prefetch). `match` is FHIR's own. The
other modules are shared: `parameters` reads requests, `ids` signs ids, `proposals` writes Slots and participants,
`paging` cuts searches into pages, `write_view` runs a use case and answers.
"""
