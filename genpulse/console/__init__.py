"""The console: pages for people who look after an installation, rendered here and whole without JavaScript.

genpulse/console
├── door         the calls of the console, and the one that leads a browser from `/` to it
├── console      what all its calls share
├── visit        one request of somebody who may be here; `viewer` is what pages know of that person
├── sessions     who is logged in: cookies and their sessions
├── forms        forms as they are sent, and whether they come from a page of ours
├── file_forms   forms that bring files
├── changes      doing what a form asks for, with an entry in the log of actions
├── live         fragments of pages that are rendered once for all who watch them
├── throughput   what ended in the last hour, minute by minute
├── rendering    templates, and how they write times, amounts and sizes
├── responsibility   the filter by who must act, as codes of failures
├── doctor_report    what `genpulse doctor` says here
├── refusals     pages about what went wrong
├── pages/       a file for each page
├── templates/   their HTML
└── static/      style sheet, script and icons

It calls `lifecycle/` as the API does, and knows what it shares with others from `api/`.
"""
