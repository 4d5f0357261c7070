// What the scripts in JavaScript share: where the server is, who they are, and what they want: the demo's if not told.

import assert from 'node:assert/strict';

export const {
  BASE_URL = 'http://127.0.0.1:8000/',
  CLIENT_ID = 'demo-system',
  CLIENT_SECRET = 'demo-system-secret',
  VISIT_TYPE = 'https://riverside.example/CodeSystem/visit-types|follow-up',
} = process.env;
export const FHIR = new URL('fhir/R4', BASE_URL).href;
export const DAY = 24 * 60 * 60 * 1000;
export const START = new Date(Date.now() + DAY).toISOString();
export const END = new Date(Date.now() + 29 * DAY).toISOString();

// What went wrong and what the server said of it, instead of all that the library knows of the request.
process.on('uncaughtException', (error) => {
  console.error(error.stack, JSON.stringify(error.response?.data ?? {}, null, 2));
  process.exit(1);
});

export function step(text) {
  console.log(`ok  ${text}`);
}

// https://www.rfc-editor.org/rfc/rfc6749#section-4.4
export async function tokenFrom(url) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/*.cruds' }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(answer.token_type, 'Bearer');
  return answer.access_token;
}

// A patient whom the server cannot know yet.
export function somebody() {
  return {
    resourceType: 'Patient',
    name: [{ family: 'Client', given: [`Number ${Date.now()}`] }],
    gender: 'unknown',
    birthDate: '1980-02-29',
  };
}

export function matches(bundle) {
  assert.equal(bundle.resourceType, 'Bundle');
  return (bundle.entry ?? []).filter((entry) => entry.search.mode === 'match').map((entry) => entry.resource);
}
