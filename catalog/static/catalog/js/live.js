// Parts that stay true: an element with data-live="15" (seconds) and an id is fetched again with its
// page and replaced when it has changed. Focus, scroll and opened <details> stay; nothing is replaced
// under a person who types in it, and a hidden tab asks for nothing.
"use strict";

(() => {
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const isBusy = (part) =>
    part.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)
    || part.querySelector("td.pick input:checked, details.menu[open], dialog[open]") !== null;

  const pathTo = (part, element) => {
    const steps = [];
    for (let here = element; here !== part; here = here.parentElement) {
      steps.unshift([...here.parentElement.children].indexOf(here));
    }
    return steps;
  };
  const follow = (part, steps) => steps.reduce((here, step) => here && here.children[step], part);

  const replace = (part, fresh) => {
    if (isBusy(part) || part.dataset.liveSource === fresh.innerHTML) return;
    const focused = part.contains(document.activeElement) ? pathTo(part, document.activeElement) : null;
    const opened = [...part.querySelectorAll("details[open]")].map((one) => pathTo(part, one));
    const scrolled = [...part.querySelectorAll(".scroll")].map((one) => [pathTo(part, one), one.scrollLeft]);
    part.dataset.liveSource = fresh.innerHTML;
    part.innerHTML = fresh.innerHTML;
    opened.forEach((steps) => { const one = follow(part, steps); if (one && one.tagName === "DETAILS") one.open = true; });
    scrolled.forEach(([steps, left]) => { const one = follow(part, steps); if (one) one.scrollLeft = left; });
    const heir = focused && follow(part, focused);
    if (heir) heir.focus({ preventScroll: true });
    if (window.htmx) window.htmx.process(part);
    part.dispatchEvent(new CustomEvent("portal:refreshed", { bubbles: true }));
  };

  const refresh = async () => {
    if (document.hidden) return;
    let answer;
    try {
      answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    } catch {
      return; // the server cannot be reached: what stands there stays, and the next round tries again
    }
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    parts().forEach((part) => {
      const fresh = page.getElementById(part.id);
      if (fresh) replace(part, fresh);
    });
  };

  const seconds = Math.min(...parts().map((part) => Number(part.dataset.live) || 15));
  if (!Number.isFinite(seconds)) return;
  parts().forEach((part) => { part.dataset.liveSource = part.innerHTML; });
  const next = () => setTimeout(async () => { await refresh(); next(); }, Math.max(seconds, 2) * 1000);
  next();
  document.addEventListener("visibilitychange", refresh);
})();
