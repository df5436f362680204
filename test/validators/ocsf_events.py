"""Checks OCSF events, one JSON object a line of standard input, against the class that their class_uid names.

Arguments: version of OCSF, then the profiles. Prints one line for each thing that is wrong, nothing when all is right.
"""
import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

version, *profiles = sys.argv[1:]
ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
validators = {}
events = 0
for line in sys.stdin:
    event = json.loads(line)
    events += 1
    name = ocsf.lookup_class_name_from_uid(event["class_uid"])
    if name not in validators:
        validators[name] = Draft202012Validator(ocsf.get_class_schema(name, profiles))
    for error in validators[name].iter_errors(event):
        print(f"event {events}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}")
if events == 0:
    print("no events")
