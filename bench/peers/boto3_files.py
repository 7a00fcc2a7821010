"""boto3 with one file: `.venv/boto3/bin/python bench/peers/boto3_files.py FILE ENDPOINT KEY SECRET BUCKET OBJECT`.

Prints the seconds of both ways. It runs in an environment of its own, see `bench-boto3` in pyproject.toml.
"""

import json
import sys
import time
from pathlib import Path

import boto3


def main(path: str, endpoint: str, key: str, secret: str, bucket: str, key_of_file: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    )
    began = time.perf_counter()
    client.upload_file(path, bucket, key_of_file)
    uploaded = time.perf_counter()
    client.download_file(bucket, key_of_file, f"{path}.fetched")
    ended = time.perf_counter()
    Path(f"{path}.fetched").unlink()
    print(json.dumps({"upload_s": uploaded - began, "download_s": ended - uploaded}))


main(*sys.argv[1:])
