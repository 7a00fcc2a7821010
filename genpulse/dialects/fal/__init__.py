"""fal's API.

genpulse/dialects/fal
├── door              the calls under `/fal`
├── apps              ids of apps in paths
├── request_id        ids of requests, and the header that every answer has
├── arguments         the body of a call as an order
├── queue             submit, status, result, cancel
├── status_stream     the status as Server-Sent Events
├── run               calls that are held until the end
├── proxy             what the JavaScript client sends through one address
├── uploads           files by signed addresses
├── parts             large files in several parts
├── status_document   the status of a request
├── output_document   the output of a request
├── refusals          errors, and failed requests
├── webhook           the messages of requests that have ended
└── key_set           the public keys of their signatures
"""
