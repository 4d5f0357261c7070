// Drives Argonaut's scheduling with fhir-kit-client: from discovery to a visit that is booked and cancelled.
//
//   BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... node tests/clients/fhir_kit_client.mjs
//
// It exits with 1 at the first answer that is not as it should be. It leaves a cancelled appointment behind.

import assert from 'node:assert/strict';
import { CapabilityTool, Client } from 'fhir-kit-client';
import { END, FHIR, START, VISIT_TYPE, matches, somebody, step, tokenFrom } from './software.mjs';

const client = new Client({ baseUrl: FHIR });
const capabilities = new CapabilityTool(await client.capabilityStatement());
assert.ok(capabilities.serverCan('batch') && capabilities.resourceCan('Appointment', 'read'));
assert.ok(capabilities.resourceSearch('Appointment', 'patient'));
await assert.rejects(client.search({ resourceType: 'Patient' }), (error) => error.response.status === 401);
const { tokenUrl } = await client.smartAuthMetadata();
step('discovered where tokens come from, and that one is needed');

client.bearerToken = await tokenFrom(tokenUrl);
step('has a token');

const schedules = await every('Schedule');
step(`read ${schedules.length} schedules, two to a page`);

const patient = await client.create({ resourceType: 'Patient', body: somebody() });
const offered = await find();
step(`found ${offered.length} times`);

const [held, answer] = await operate('hold', { name: 'appt-id', valueUri: `Appointment/${offered[0].id}` });
assert.equal(held.status, 'pending');
assert.equal(Date.parse(held.start), Date.parse(offered[0].start));
assert.ok(Date.parse(answer.headers.get('expires')) > Date.now(), 'a hold says when it ends');
step('held');

const heldId = { name: 'appt-id', valueUri: `Appointment/${held.id}` };
const patientId = { name: 'patient-id', valueUri: `Patient/${patient.id}` };
const [booked] = await operate('book', heldId, patientId, { name: 'comment', valueString: 'The knee again.' });
assert.equal(booked.status, 'booked');
step('booked');

const visits = await client.search({
  resourceType: 'Appointment',
  searchParams: { patient: patient.id, status: 'booked' },
  options: { postSearch: true },
});
assert.deepEqual(matches(visits).map((each) => each.id), [booked.id]);
const visit = await client.read({ resourceType: 'Appointment', id: booked.id });
assert.equal(visit.comment, 'The knee again.');
step('read it back');

const jsonPatch = [{ op: 'replace', path: '/status', value: 'cancelled' }];
await assert.rejects(
  client.patch({ resourceType: 'Appointment', id: visit.id, jsonPatch, options: { headers: { 'If-Match': 'W/"0"' } } }),
  (error) => error.response.status === 412
);
const cancelled = await client.patch({
  resourceType: 'Appointment',
  id: visit.id,
  jsonPatch,
  options: { headers: { 'If-Match': `W/"${visit.meta.versionId}"` } },
});
assert.equal(cancelled.status, 'cancelled');
step('cancelled, once the version was right');

const [refused] = await operate('book', heldId, patientId);
assert.equal(refused.status, 'cancelled', 'what is cancelled cannot be booked');
assert.ok((await find()).some((each) => each.start === offered[0].start));
step('the time is offered again');

// All of a type, and as many as the server says.
async function every(resourceType) {
  const first = await client.search({ resourceType, searchParams: { _count: '2' } });
  const found = [];
  for (let bundle = first; bundle; bundle = await client.nextPage({ bundle })) {
    found.push(...matches(bundle));
  }
  assert.equal(found.length, first.total);
  assert.equal(new Set(found.map((each) => each.id)).size, found.length, 'nothing twice');
  assert.ok(found.length > 2, 'more than a page');
  return found;
}

// The first free times of a visit type.
async function find() {
  const input = { start: START, end: END, 'visit-type': VISIT_TYPE, _count: 10 };
  const bundle = await client.operation({ name: 'find', resourceType: 'Appointment', method: 'GET', input });
  const offered = matches(bundle);
  assert.ok(offered.length > 0 && offered.length <= 10);
  assert.ok(offered.every((each) => each.status === 'proposed'));
  return offered;
}

// The Appointment after an operation on it, and the HTTP response.
async function operate(name, ...parameter) {
  const input = { resourceType: 'Parameters', parameter };
  const bundle = await client.operation({ name, resourceType: 'Appointment', input });
  assert.equal(matches(bundle).length, 1);
  return [matches(bundle)[0], Client.httpFor(bundle).response];
}
