// Drives Medplum's scheduling with its own client: find, hold, confirm, book, reschedule, cancel.
//
//   BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... node tests/clients/medplum.mjs
//
// It exits with 1 at the first answer that is not as Medplum's server would give it. It leaves cancelled appointments
// behind. The library asks for Node 22; it runs on 20 as well.

import assert from 'node:assert/strict';
import { BASE_URL, CLIENT_ID, CLIENT_SECRET, DAY, END, START, step } from './software.mjs';

globalThis.WebSocket ??= class {}; // Node 20 has none, and the library extends it when it is loaded
const { MedplumClient, OperationOutcomeError, getReferenceString } = await import('@medplum/core');

const SERVICE = 'https://medplum.com/fhir/service-type-reference';

const stranger = new MedplumClient({ baseUrl: BASE_URL, fhirUrlPath: 'fhir/R4/' });
assert.equal((await stranger.get(stranger.fhirUrl('metadata'))).fhirVersion, '4.0.1');
const { token_endpoint } = await stranger.get(stranger.fhirUrl('.well-known', 'smart-configuration'));
assert.equal((await refusal(stranger.search('Patient'))).issue[0].code, 'login');
step('discovered where tokens come from, and that one is needed');

const medplum = new MedplumClient({ baseUrl: BASE_URL, fhirUrlPath: 'fhir/R4/', tokenUrl: token_endpoint });
await medplum.startClientLogin(CLIENT_ID, CLIENT_SECRET);
step('has a token');

const practitioners = [];
for await (const page of medplum.searchResourcePages('Practitioner', { _count: '2' })) {
  practitioners.push(...page);
}
const { total } = await medplum.search('Practitioner', { _summary: 'count' });
assert.equal(new Set(practitioners.map((each) => each.id)).size, total);
assert.ok(total > 2, 'more than a page');
step(`read ${total} practitioners, two on the first page`);

const patient = await medplum.createResource({
  resourceType: 'Patient',
  name: [{ family: 'Medplum', given: [`Client ${Date.now()}`] }],
});
const { service, schedules, proposals } = await firstThatCanBeHad();
assert.ok(proposals.length >= 3, 'three free times are needed');
for (const proposal of proposals) {
  assert.equal(proposal.resourceType, 'Appointment');
  assert.equal(proposal.status, 'proposed');
  assert.ok(proposal.contained.every((slot) => slot.resourceType === 'Slot'));
}
step(`found ${proposals.length} times of ${service.name}`);

const held = await propose('$hold', proposals[0]);
assert.equal(held.appointment.status, 'pending');
assert.ok(held.slots.some((slot) => slot.status === 'busy-tentative'));
step('held');

const confirmed = opened(await medplum.post(operation(held.appointment, '$confirm'), {}));
assert.equal(confirmed.appointment.status, 'booked');
assert.ok(confirmed.slots.every((slot) => slot.status !== 'busy-tentative'));
step('confirmed');

const refused = await refusal(propose('$book', proposals[0], null));
assert.equal(refused.issue[0].code, 'conflict');
assert.ok(Array.isArray(JSON.parse(refused.issue[0].diagnostics).alternatives)); // a full day has none
step('the same time is refused');

const again = await refusal(medplum.post(operation(held.appointment, '$confirm'), {}));
assert.equal(again.issue[0].code, 'conflict');
step('not confirmed twice');

const after = proposals.find((each) => each.start >= proposals[0].end && apart(each, proposals[0]));
const booked = await propose('$book', after);
assert.equal(booked.appointment.status, 'booked');
assert.deepEqual(
  booked.appointment.slot.map((reference) => reference.reference).sort(),
  booked.slots.map((slot) => getReferenceString(slot)).sort()
);
step('booked');

const target = (await find(service, schedules, getReferenceString(booked.appointment))).find(
  (each) => each.start !== booked.appointment.start && apart(each, held.appointment)
);
const moved = opened(
  await medplum.post(operation(booked.appointment, '$reschedule'), {
    resourceType: 'Parameters',
    parameter: [
      { name: 'start', valueDateTime: target.start },
      ...schedules.map((each) => ({ name: 'schedule', valueReference: { reference: getReferenceString(each) } })),
    ],
  })
);
assert.equal(moved.appointment.id, booked.appointment.id);
assert.equal(Date.parse(moved.appointment.start), Date.parse(target.start));
step('rescheduled');

for (const { appointment } of [confirmed, moved]) {
  const cancelled = await medplum.post(operation(appointment, '$cancel'), { cancelationReason: { text: 'a test' } });
  assert.equal(cancelled.status, 'cancelled');
  assert.equal((await medplum.readResource('Appointment', appointment.id, { cache: 'reload' })).status, 'cancelled');
}
step('cancelled');

const free = await find(service, schedules);
assert.ok(free.some((each) => each.start === proposals[0].start), 'a cancelled time is offered again');
const mine = await medplum.searchResources('Appointment', { patient: getReferenceString(patient) });
assert.equal(mine.length, 2);
const wrong = await refusal(medplum.get(medplum.fhirUrl('Appointment', '$find') + '?start=tomorrow'));
assert.ok(wrong.issue.every((issue) => issue.expression[0].startsWith('Parameters.')));
step('all well');

function operation(appointment, name) {
  return medplum.fhirUrl('Appointment', appointment.id, name);
}

// As Medplum's own pages do: one schedule, or one of each kind of actor together, until there are times.
async function firstThatCanBeHad() {
  const all = await medplum.searchResources('Schedule', { active: 'true', _count: '200' });
  for (const reference of new Set(all.flatMap(servicesOf))) {
    const service = await medplum.readReference({ reference });
    const offering = all.filter((schedule) => servicesOf(schedule).includes(reference));
    for (const schedules of combinations(offering)) {
      const proposals = await find(service, schedules).catch(() => []);
      if (proposals.length >= 3) {
        return { service, schedules, proposals };
      }
    }
  }
  throw new Error('Nothing has three free times in the next four weeks.');
}

function* combinations(schedules) {
  const [people, rooms, devices] = ['Practitioner', 'Location', 'Device'].map((type) =>
    schedules.filter((schedule) => schedule.actor[0].reference.startsWith(type)).slice(0, 6)
  );
  yield* people.map((person) => [person]);
  yield* people.flatMap((person) => rooms.map((room) => [person, room]));
  yield* people.flatMap((person) => rooms.flatMap((room) => devices.map((device) => [person, room, device])));
}

function servicesOf(schedule) {
  return (schedule.serviceType ?? [])
    .flatMap((concept) => concept.extension ?? [])
    .filter((extension) => extension.url === SERVICE)
    .map((extension) => extension.valueReference.reference);
}

async function find(service, schedules, ignored) {
  const url = medplum.fhirUrl('Appointment', '$find');
  url.searchParams.set('start', START);
  url.searchParams.set('end', END);
  url.searchParams.set('service-type-reference', getReferenceString(service));
  schedules.forEach((schedule) => url.searchParams.append('schedule', getReferenceString(schedule)));
  url.searchParams.set('_count', '200');
  if (ignored) {
    url.searchParams.set('ignore-appointment', ignored);
  }
  const bundle = await medplum.get(url, { cache: 'reload' });
  return bundle.entry.map((entry) => entry.resource).filter((resource) => resource.resourceType === 'Appointment');
}

async function propose(name, proposal, who = patient) {
  const participant = [...proposal.participant];
  if (who) {
    participant.push({ actor: { reference: getReferenceString(who) }, status: 'accepted' });
  }
  const resource = { ...proposal, participant };
  const body = { resourceType: 'Parameters', parameter: [{ name: 'appointment', resource }] };
  return opened(await medplum.post(medplum.fhirUrl('Appointment', name), body));
}

function opened(bundle) {
  assert.equal(bundle.resourceType, 'Bundle');
  const [appointment, ...slots] = bundle.entry.map((entry) => entry.resource);
  assert.equal(appointment.resourceType, 'Appointment');
  return { appointment, slots };
}

function apart(one, other) {
  return Math.abs(Date.parse(one.start) - Date.parse(other.start)) > DAY / 12;
}

async function refusal(request) {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof OperationOutcomeError, error);
    return error.outcome;
  }
  throw new Error('This should have been refused.');
}
