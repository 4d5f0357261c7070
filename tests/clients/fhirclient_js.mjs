// Drives Argonaut's scheduling, by resource, with SMART's fhirclient: from discovery to a visit that is cancelled.
//
//   BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... node tests/clients/fhirclient_js.mjs
//
// It exits with 1 at the first answer that is not as it should be. It leaves a cancelled appointment behind.

import assert from 'node:assert/strict';
import smart from 'fhirclient';
import { END, FHIR, START, VISIT_TYPE, matches, somebody, step, tokenFrom } from './software.mjs';

const stranger = new smart.FhirClient(FHIR);
const { fhirVersion } = await stranger.fhirRequest('metadata');
assert.equal(fhirVersion, '4.0.1');
await assert.rejects(stranger.fhirRequest('Patient'), (error) => error.status === 401);
const { token_endpoint } = await stranger.fhirRequest('.well-known/smart-configuration');
step('discovered where tokens come from, and that one is needed');

// The library's own way to a token leads through a browser. In Node it wants the request that it answers.
const tokenResponse = { access_token: await tokenFrom(token_endpoint) };
const client = smart({}, {}).client({ serverUrl: FHIR, tokenResponse });
step('has a token');

const schedules = await client.request('Schedule?active=true&_count=2', { pageLimit: 0, flat: true });
const { total } = await client.request('Schedule?active=true&_summary=count');
assert.equal(schedules.length, total);
assert.ok(total > 2, 'more than a page');
step(`read ${schedules.length} schedules, two to a page`);

const patient = await client.create(somebody());
const offered = await find();
step(`found ${offered.length} times`);

const held = await operate('$hold', { name: 'appt-resource', resource: offered[0] });
assert.equal(held.status, 'pending');
step('held');

const booked = await operate(
  '$book',
  { name: 'appt-id', valueUri: `Appointment/${held.id}` },
  { name: 'patient-id', valueUri: `Patient/${patient.id}` }
);
assert.equal(booked.status, 'booked');
step('booked');

const visit = await client.request(`Appointment/${booked.id}`, { resolveReferences: ['participant.0.actor'] });
assert.equal(visit.status, 'booked');
assert.ok(visit.participant[0].actor.resourceType, 'a reference that can be followed');
const visits = await client.request(`Appointment?patient=${patient.id}`, { pageLimit: 0, flat: true });
assert.deepEqual(visits.map((each) => each.id), [booked.id]);
step('read it back');

const cancelled = await client.patch(`Appointment/${booked.id}`, [
  { op: 'replace', path: '/status', value: 'cancelled' },
  { op: 'add', path: '/cancelationReason', value: { text: 'a test' } },
]);
assert.equal(cancelled.status, 'cancelled');
assert.equal((await client.request(`Appointment/${booked.id}`)).cancelationReason.text, 'a test');
step('cancelled, with the reason');

assert.ok((await find()).some((each) => each.start === offered[0].start));
step('the time is offered again');

// The first free times of a visit type with anyone who has a schedule.
async function find() {
  const offered = matches(
    await post('Appointment/$find?_count=10', [
      { name: 'start', valueDateTime: START },
      { name: 'end', valueDateTime: END },
      { name: 'visit-type', valueString: VISIT_TYPE },
      ...schedules
        .map((schedule) => schedule.actor[0].reference)
        .filter((reference) => reference.startsWith('Practitioner/'))
        .map((reference) => ({ name: 'practitioner', valueUri: reference })),
    ])
  );
  assert.ok(offered.length > 0 && offered.length <= 10);
  assert.ok(offered.every((each) => each.status === 'proposed'));
  return offered;
}

// The Appointment after an operation on it.
async function operate(name, ...parameter) {
  const [appointment, ...others] = matches(await post(`Appointment/${name}`, parameter));
  assert.equal(others.length, 0);
  return appointment;
}

function post(url, parameter) {
  const headers = { 'content-type': 'application/fhir+json' };
  const body = JSON.stringify({ resourceType: 'Parameters', parameter });
  return client.request({ url, method: 'POST', headers, body });
}
