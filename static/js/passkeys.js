// A form marked data-passkey asks the device for a passkey ("get") or makes one ("create"), and is sent with the answer.
// It is shown only where the browser can do that. The options are in the script that data-options names, else they are
// read from the form's address.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const withBytes = (credential) => ({ ...credential, id: toBytes(credential.id) });
const ANSWERS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

function read({ publicKey }) {
  const options = { ...publicKey, challenge: toBytes(publicKey.challenge) };
  if (options.user) options.user = withBytes(options.user);
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    if (options[name]) options[name] = options[name].map(withBytes);
  }
  return { publicKey: options };
}

function written(credential) {
  const answered = ANSWERS.filter((name) => credential.response[name]);
  const response = Object.fromEntries(answered.map((name) => [name, toText(credential.response[name])]));
  const clientExtensionResults = credential.getClientExtensionResults();
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response, clientExtensionResults };
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  return (await response.json()).request_options;
}

async function answer(form) {
  const trouble = document.querySelector("[data-passkey-trouble]");
  trouble.hidden = true;
  try {
    const credential = await navigator.credentials[form.dataset.passkey](read(await optionsOf(form)));
    form.elements.credential.value = JSON.stringify(written(credential));
    form.submit();
  } catch {
    trouble.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  document.querySelector("[data-passkey-cannot]")?.remove();
  for (const form of document.querySelectorAll("[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name) return; // a button that chooses a language
      event.preventDefault();
      answer(form);
    });
  }
}
