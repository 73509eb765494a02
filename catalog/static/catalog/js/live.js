// Parts that stay true: an element with data-live="15" (seconds) and an id is fetched again with its
// page and replaced when it has changed. Focus, scroll, opened <details> and checked boxes stay, each
// with its own row; nothing is replaced under a person who types in it, and a hidden tab asks for
// nothing. A part whose page no longer says data-live has come to its end.
"use strict";

(() => {
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const TYPED = "textarea, select, input:not([type=checkbox], [type=radio], [type=hidden], [type=submit])";
  const isChanged = (field) => field.matches("select")
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected))
    : field.value !== field.defaultValue;
  const isBusy = (part) => [...part.querySelectorAll(TYPED)].some((one) => one === document.activeElement || isChanged(one))
    || part.querySelector("details.menu[open], dialog[open]") !== null;

  // A row is known by what it links to: others come in above it, and it moves.
  const keyOf = (one) => one.id || (one.matches("tr, li") && one.querySelector("a[href]")?.getAttribute("href")) || "";
  const pathTo = (part, element) => {
    const steps = [];
    for (let here = element; here !== part; here = here.parentElement) {
      steps.unshift([keyOf(here), [...here.parentElement.children].indexOf(here)]);
    }
    return steps;
  };
  const follow = (part, steps) => steps.reduce((here, [key, index]) => here
    && (key ? [...here.children].find((one) => keyOf(one) === key) : here.children[index]), part);

  const BOX = "input[type=checkbox], input[type=radio]";
  const memories = [
    // [which elements have something to keep, how to give it to their heirs]
    [(one) => one.matches("details[open]"), (heir) => { heir.open = true; }],
    [(one) => one.matches(".scroll") && one.scrollLeft, (heir, one) => { heir.scrollLeft = one.scrollLeft; }],
    [(one) => one.matches(BOX) && one.checked !== one.defaultChecked, (heir, one) => { heir.checked = one.checked; }],
    [(one) => one === document.activeElement, (heir) => heir.focus({ preventScroll: true })],
  ];
  const remembered = (part) => [...part.querySelectorAll("*")].flatMap((one) => memories
    .filter(([keeps]) => keeps(one)).map(([, give]) => [pathTo(part, one), give, one]));
  const topmost = (part) => {
    const one = [...part.querySelectorAll("tr, li")].find((row) => row.getBoundingClientRect().bottom > 0);
    return one && part.getBoundingClientRect().top < 0 ? [pathTo(part, one), one.getBoundingClientRect().top] : null;
  };

  const sources = new WeakMap();
  const sourceOf = (part) => part.outerHTML.replace(/(name="csrfmiddlewaretoken" value=")[^"]*/g, "$1");
  const replace = (part, fresh) => {
    if (isBusy(part)) return;
    const source = sourceOf(fresh);
    if (sources.get(part) === source) return;
    const kept = remembered(part);
    const seen = topmost(part);
    sources.set(part, source);
    part.innerHTML = fresh.innerHTML;
    if (!fresh.dataset.live) delete part.dataset.live;
    if (fresh.dataset.tone) part.dataset.tone = fresh.dataset.tone;
    kept.forEach(([steps, give, one]) => { const heir = follow(part, steps); if (heir && heir.tagName === one.tagName) give(heir, one); });
    const row = seen && follow(part, seen[0]);
    if (row) window.scrollBy({ top: row.getBoundingClientRect().top - seen[1], behavior: "instant" });
    if (window.htmx) window.htmx.process(part);
    part.dispatchEvent(new CustomEvent("portal:refreshed", { bubbles: true }));
  };

  const refresh = async () => {
    if (document.hidden || !parts().length) return;
    let answer;
    try {
      // The header keeps the page from telling here what it tells once.
      answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Refresh": "1" }, credentials: "same-origin" });
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

  parts().forEach((part) => sources.set(part, sourceOf(part)));
  const next = () => {
    const seconds = Math.min(...parts().map((part) => Number(part.dataset.live) || 15));
    if (Number.isFinite(seconds)) setTimeout(async () => { await refresh(); next(); }, Math.max(seconds, 2) * 1000);
  };
  next();
  document.addEventListener("visibilitychange", refresh);
})();
