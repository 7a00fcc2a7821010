"""The APIs of others, spoken as they speak them: a request becomes an order, a task becomes their document.

genpulse/dialects
├── doors            which doors an installation opens
├── options          what is configured of them
├── model_names      which of our models somebody's name of a model means
├── repeated_calls   calls that a client repeats by itself, without an idempotency key
├── held_calls       calls that are answered when their task has ended
├── polled_tasks     tasks that are asked for many times a second
├── standing         where such a task stands
├── replicate/       predictions, files, models
├── fal/             queue, run, status, uploads
└── openai/          images, videos, speech, models

No dialect knows another. All call `lifecycle/` as our own API does.
"""
