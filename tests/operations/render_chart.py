"""Renders the chart with Helm's own engine: run by the interpreter that `make ops-tools` has made.

python render_chart.py CHART < values as JSON > {"error": …, "documents": […]}

What is rendered is held against the schemas of two versions of Kubernetes.
"""

import json
import sys

import helm_python as helm
import kubernetes_validate
import yaml

KUBERNETES = ("1.27", "1.34")
FOREIGN = ("monitoring.coreos.com/v1", "keda.sh/v1alpha1")
"""Of others: their schemas are not to be had here."""


def main():
    values = json.load(sys.stdin)
    try:
        with helm.Chart.load(sys.argv[1]) as chart:
            chart.validate_schema(values)
            rendered = chart.render(values, name="shop", namespace="media")
    except helm.HelmError as error:
        json.dump({"error": str(error), "documents": []}, sys.stdout)
        return
    documents = [
        document
        for name, text in sorted(rendered.items())
        if not name.endswith(".txt")
        for document in yaml.safe_load_all(text)
        if document
    ]
    for document in documents:
        if document["apiVersion"] not in FOREIGN:
            for version in KUBERNETES:
                kubernetes_validate.validate(document, version, strict=True)
    json.dump({"error": "", "documents": documents}, sys.stdout)


main()
