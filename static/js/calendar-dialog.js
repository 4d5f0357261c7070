// Links marked data-dialog open in the page's dialog, if it has one; a message with Undo confirms each action.
const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");
const toasts = document.getElementById("toasts");
const UNDO_FOR = 10_000;
const FIRST = ".dialog__body :is(select, textarea, input:not([type=hidden]), .actions :is(a, button))"; // not the button that closes it

let opener = null; // the link that opened the dialog: a keyboard shortcut opens it without focusing the link

const openDialog = (url, link = null) => {
  if (!dialog.open) opener = link;
  return htmx.ajax("GET", url, { target: content });
};

document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close]");
  if (close?.closest("dialog")) {
    event.preventDefault();
    close.closest("dialog").close();
    return;
  }
  const link = event.target.closest("a[data-dialog]");
  if (!dialog || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(link.href, link);
});

// A form marked data-refreshes reloads its free times when one of the named fields changes.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.dataset.refreshes?.split(" ").includes(event.target.name)) return;
  if (dialog) form.querySelector("[data-refresh]").click();
});

// Enter in the search box searches for patients, even if one is chosen already.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input[name=search]")) return;
  event.preventDefault();
  event.target.form.querySelector("[name=find]").click();
});

const setUp = (root) => {
  for (const each of root.querySelectorAll(".needs-script")) each.hidden = false;
};

if (dialog) {
  setUp(document);

  // A refused form is shown again in the dialog.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) event.detail.shouldSwap = true;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== content) return;
    setUp(content);
    const opens = !dialog.open;
    if (opens) dialog.showModal();
    const isElsewhere = opens || !content.contains(document.activeElement);
    const next = content.querySelector("[data-focus]") ?? (isElsewhere ? content.querySelector(FIRST) : null);
    next?.focus();
  });

  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, () => say(toasts.dataset.failed));
  }
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 422) say(toasts.dataset.failed);
  });

  document.addEventListener("calendar:done", (event) => {
    dialog.returnValue = "done";
    dialog.close("done");
    say(event.detail.message, event.detail.undo);
    document.dispatchEvent(new CustomEvent("calendar:changed"));
  });

  dialog.addEventListener("close", () => {
    const done = dialog.returnValue === "done";
    dialog.returnValue = "";
    content.replaceChildren(); // the focus leaves it with this
    document.dispatchEvent(new CustomEvent("calendar:closed", { detail: { done } }));
    if (document.activeElement === document.body) opener?.focus();
  });
}

function say(message, undo) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("p");
  words.textContent = message;
  toast.append(words);
  let timer;
  const leave = () => {
    timer = setTimeout(() => toast.remove(), UNDO_FOR);
  };
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = toasts.dataset.undo;
    button.addEventListener("click", () => {
      toast.remove();
      takeBack(undo);
    });
    toast.append(button);
    // The message stays while the pointer or the focus is on it.
    for (const kind of ["pointerenter", "focusin"]) toast.addEventListener(kind, () => clearTimeout(timer));
    for (const kind of ["pointerleave", "focusout"]) toast.addEventListener(kind, leave);
  }
  toasts.append(toast);
  leave();
}

// Undo of the last action.
const undoButton = () => [...toasts.querySelectorAll("button")].at(-1);

async function takeBack(undo) {
  const body = new FormData();
  for (const [name, value] of Object.entries(undo.fields)) body.append(name, value);
  body.append("csrfmiddlewaretoken", toasts.querySelector("[name=csrfmiddlewaretoken]").value);
  const answer = await fetch(undo.url, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status === 204) {
    say(toasts.dataset.undone);
    document.dispatchEvent(new CustomEvent("calendar:changed"));
  } else if (answer?.status === 422) {
    content.innerHTML = await answer.text();
    htmx.process(content);
    setUp(content);
    dialog.showModal();
  } else {
    say(toasts.dataset.failed);
  }
}
