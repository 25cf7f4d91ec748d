
// Projector mode: one block for each screen, its parts one after the other. The key P, or #projector in the address.
const stage = document.getElementById("stage");
const remote = document.getElementById("remote");
const staging = { screens: [], at: 0, moment: 0, theme: undefined };

// What a screen shows one after the other. A figure takes three moments: its axes, so that the room can predict; its
// data; what was found.
function momentsOf(screen) {
  const steps = [...screen.querySelectorAll(".step")].filter(
    (step) => !step.parentElement.closest(".step, details, .offstage"));
  return steps.flatMap((item) =>
    item.tagName === "FIGURE" ? ["axes", "data", "found"].map((phase) => ({ item, phase })) : [{ item }]);
}

function show() {
  staging.screens.forEach((screen, at) => screen.classList.toggle("now", at === staging.at));
  const screen = staging.screens[staging.at];
  const moments = momentsOf(screen);
  staging.moment = Math.min(staging.moment, Math.max(0, moments.length - 1));
  const { item, phase } = moments[staging.moment] || {};
  moments.forEach((moment, at) => {
    // Sentences of a list gather; of figures and tables there is one at a time.
    const waits = moment.item.tagName === "LI" ? at > staging.moment : moment.item !== item;
    moment.item.classList.toggle("waiting", waits);
  });
  if (phase) item.dataset.phase = phase;
  screen.scrollTop = 0;
  if (item && item.tagName === "LI") item.scrollIntoView({ block: "nearest" });
  document.getElementById("place").textContent = `${staging.at + 1} / ${staging.screens.length}`;
}

function go(by) {
  const moments = momentsOf(staging.screens[staging.at]).length || 1;
  const moment = staging.moment + by;
  if (moment >= 0 && moment < moments) {
    staging.moment = moment;
  } else if (staging.at + by >= 0 && staging.at + by < staging.screens.length) {
    staging.at += by;
    staging.moment = by > 0 ? 0 : Infinity;
  }
  show();
}

function enterStage() {
  uncover();
  const main = [...document.querySelectorAll("main")].find((one) => getComputedStyle(one).display !== "none");
  staging.screens = [...main.querySelectorAll("header, section.block:not(.plain)")];
  staging.at = staging.moment = 0;
  staging.theme = root.dataset.theme;
  root.dataset.theme = "light";  // a bright room washes a dark page out
  root.classList.add("staged");
  remote.hidden = false;
  document.getElementById("source").textContent = main.dataset.source;
  show();
}

function leaveStage() {
  root.classList.remove("staged");
  if (staging.theme) root.dataset.theme = staging.theme;
  else delete root.dataset.theme;
  remote.hidden = true;
  document.querySelectorAll(".waiting").forEach((step) => step.classList.remove("waiting"));
  document.querySelectorAll("[data-phase]").forEach((figure) => delete figure.dataset.phase);
  if (location.hash === "#projector") history.replaceState(null, "", " ");
}

const isStaged = () => root.classList.contains("staged");
const STEPS = { PageDown: 1, ArrowRight: 1, ArrowDown: 1, " ": 1, PageUp: -1, ArrowLeft: -1, ArrowUp: -1 };

stage.hidden = false;
stage.addEventListener("click", enterStage);
document.getElementById("back").addEventListener("click", () => go(-1));
document.getElementById("forth").addEventListener("click", () => go(1));
addEventListener("hashchange", () => location.hash === "#projector" && !isStaged() && enterStage());
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "p" || event.key === "P") return isStaged() ? leaveStage() : enterStage();
  if (!isStaged()) return;
  if (event.key === "Escape") return leaveStage();
  const pressed = event.key === " " && event.target.closest("button");
  if (!STEPS[event.key] || pressed) return;
  event.preventDefault();
  go(STEPS[event.key]);
});
if (location.hash === "#projector") enterStage();
