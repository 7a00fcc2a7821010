"""Replicate's API, as its clients speak it.

genpulse/dialects/replicate
├── door                  all calls, under `/replicate`
├── predictions           creating, looking, listing, cancelling
├── prediction_request    what the body and the headers of a new prediction say
├── prediction_documents  a task as a prediction
├── input_files           files that an input names by addresses of this door
├── outputs               what a model makes: one address, or a list
├── versions              which model a version is of
├── links                 addresses that documents carry
├── stream                a prediction as Server-Sent Events
├── progress_line         how far a task has come, as its logs tell
├── bracketed_fields      objects in the fields of a form
├── files, file_form      files that callers bring
├── models                models, their versions, and searching them
├── model_documents       a model of ours as one of theirs
├── model_schema          the OpenAPI schema of a version
├── collections           models of one kind
├── deployments           routes
├── account               who calls, and by what its webhooks are signed
├── not_served            calls that cannot work here, and why
└── refusals              errors in their words
"""
