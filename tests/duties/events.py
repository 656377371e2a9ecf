"""Prints the events of a calendar as JSON, as the package `icalendar` reads them."""

import datetime
import json
import sys

import icalendar

with open(sys.argv[1], "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())
assert calendar["VERSION"] == "2.0" and calendar["PRODID"], calendar
assert not calendar.errors, calendar.errors
events = []
for event in calendar.walk("VEVENT"):
    assert not event.errors, event.errors
    day = event.decoded("DTSTART")
    assert type(day) is datetime.date, day
    alarms = event.walk("VALARM")
    assert len(alarms) <= 1
    alarm = (day + alarms[0].decoded("TRIGGER")).isoformat() if alarms else None
    events.append({
        "uid": str(event["UID"]),
        "day": day.isoformat(),
        "alarm": alarm,
        "stamp": event.decoded("DTSTAMP").isoformat(),
        "sequence": int(event["SEQUENCE"]),
        "summary": str(event["SUMMARY"]),
        "description": str(event["DESCRIPTION"]),
    })
assert len({event["uid"] for event in events}) == len(events)
print(json.dumps(events))
