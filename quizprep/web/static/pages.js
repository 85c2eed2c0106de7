// What pages can do besides: progress of a grading, live reading of numbers, steps to drag, the
// clock of an interview. Every page works without it.
"use strict";

const all = (selector, each) => document.querySelectorAll(selector).forEach(each);

// A grading: the server tells how far it is; its verdict is the same address.
all("[data-progress]", (place) => {
  const bar = document.querySelector("progress");
  const events = new EventSource(place.dataset.progress);
  events.onmessage = (event) => {
    const says = JSON.parse(event.data);
    place.textContent = says;
    const found = says.match(/(\d+) of (\d+)$/);
    if (found) {
      bar.max = Number(found[2]);
      bar.value = Number(found[1]);
    } else {
      bar.removeAttribute("value");
    }
  };
  events.addEventListener("over", () => {
    events.close();
    location.reload();
  });
});

// A file that is followed: graded again by the form as soon as it is saved.
all("[data-follow]", (form) => {
  const events = new EventSource(form.dataset.follow);
  events.addEventListener("over", () => {
    events.close();
    form.requestSubmit();
  });
});

// What a number or a growth is read as, by the parser that marks it.
all("[data-reading]", (field) => {
  const place = document.getElementById("reading");
  let timer = 0;
  let asked = 0;
  const read = async () => {
    const mine = ++asked;
    try {
      const body = new URLSearchParams(new FormData(field.form));
      const answer = await fetch(field.dataset.reading, { method: "POST", body });
      const text = answer.ok ? await answer.text() : "";
      if (mine === asked) place.textContent = text;
    } catch {
      // the server was ended; the form says so
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(read, 150);
  });
  if (field.value) read();
});

// Steps to put in order: dragged, or moved with the arrow keys. The lists of letters hold the reply.
all("[data-steps]", (list) => {
  const choices = [...list.parentElement.querySelectorAll("select")];
  const legend = list.parentElement.querySelector("legend");
  legend.textContent = "Drag the steps into order, or move one with the arrow keys";
  list.classList.add("movable");
  choices.forEach((choice) => (choice.parentElement.hidden = true));
  const keep = () =>
    [...list.children].forEach((step, place) => (choices[place].value = step.dataset.letter));
  let dragged = null;
  [...list.children].forEach((step) => {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "quiet small handle";
    handle.textContent = "\u2195";
    handle.setAttribute("aria-label", `Move step ${step.dataset.letter}: arrow keys`);
    handle.addEventListener("keydown", (event) => {
      const other = { ArrowUp: step.previousElementSibling, ArrowDown: step.nextElementSibling };
      if (!(event.key in other)) return;
      event.preventDefault();
      const next = other[event.key];
      if (!next) return;
      if (event.key === "ArrowUp") next.before(step);
      else next.after(step);
      keep();
      handle.focus();
    });
    step.prepend(handle);
    step.draggable = true;
    step.addEventListener("dragstart", (event) => {
      dragged = step;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", step.dataset.letter);
    });
    step.addEventListener("dragend", () => {
      dragged = null;
      keep();
    });
    step.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      if (dragged === step) return;
      const box = step.getBoundingClientRect();
      if (event.clientY < box.top + box.height / 2) step.before(dragged);
      else step.after(dragged);
      keep();
    });
    step.addEventListener("drop", (event) => event.preventDefault());
  });
  keep();
});

// An interview: the clock, and closing its page stops it.
all("[data-clock]", (place) => {
  const bar = document.querySelector("progress");
  const begun = Date.now() - 1000 * Number(place.dataset.clock);
  setInterval(() => {
    const seconds = (Date.now() - begun) / 1000;
    place.textContent = Math.floor(seconds / 60);
    bar.value = seconds;
  }, 1000);
});
all("[data-pause]", (form) => {
  addEventListener("pagehide", () => {
    navigator.sendBeacon(
      form.dataset.pause,
      new URLSearchParams({ visit: form.elements.visit.value }),
    );
  });
  // Kept whole by the browser and shown again, it is a new visit.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
});

all("[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
