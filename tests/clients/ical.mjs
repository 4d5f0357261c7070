// Which instants ical.js reads in calendar files: a JSON list of files in, a list of lists of [start, end] out.

import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';

const files = JSON.parse(readFileSync(0, 'utf8'));
const read = files.map((file) => {
  const calendar = new ICAL.Component(ICAL.parse(file));
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component);
    return [event.startDate, event.endDate].map((time) => time.toJSDate().toISOString());
  });
});
console.log(JSON.stringify(read));
