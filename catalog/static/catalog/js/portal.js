// Small comforts of every page. Everything works without them: search is a form, dialogs open by
// their fragment, messages go with the next page, secrets and code can be selected by hand.
"use strict";

(() => {
  const announce = (words) => {
    const place = document.getElementById("announce");
    if (place) place.textContent = words;
  };

  const isTyping = (element) =>
    element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  // Keys: "/" goes to the page's own search or else the bar's, Escape leaves it and closes what floats.
  let cameFrom = null;
  document.addEventListener("keydown", (event) => {
    const search = document.querySelector("main input[type=search]") || document.querySelector("[data-search]");
    if (event.key === "/" && search && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      cameFrom = document.activeElement;
      search.focus();
      search.select();
    } else if (event.key === "Escape") {
      if (event.target === search && !search.value) {
        search.blur();
        if (cameFrom) cameFrom.focus();
      }
      closeMenus(null);
      closeFragment();
    }
  });

  // Menus are <details>: only one is open, and a click beside it closes it.
  const closeMenus = (except) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (menu === except) return;
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) menu.querySelector("summary").focus();
    });
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));

  // Dialogs: a link to a dialog's fragment opens it as a modal, so that focus stays inside and returns.
  const dialogOf = (fragment) => {
    const found = fragment.length > 1 && document.getElementById(decodeURIComponent(fragment.slice(1)));
    return found instanceof HTMLDialogElement ? found : null;
  };
  const closeFragment = () => {
    if (dialogOf(location.hash)) history.replaceState(null, "", location.pathname + location.search);
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest('a[href^="#"]');
    const dialog = opener && dialogOf(opener.getAttribute("href"));
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    const closer = event.target.closest("[data-close]");
    if (closer && closer.closest("dialog")) {
      event.preventDefault();
      closer.closest("dialog").close();
      closeFragment();
    }
    if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
  });
  const asked = dialogOf(location.hash);
  if (asked && !asked.open) asked.showModal();

  // The drawer, where the browser knows no popover: the side is then shown as the fragment's target.
  if (!("popover" in HTMLElement.prototype)) {
    document.querySelectorAll("[popovertarget]").forEach((button) =>
      button.addEventListener("click", () => {
        location.hash = location.hash === "#side" ? "" : "side";
      }),
    );
  }

  // Copy buttons: the text of the <pre> beside them, or of the element that they name.
  const prepare = (root) => {
    root.querySelectorAll("[data-copy][hidden], [data-dismiss][hidden]").forEach((button) => {
      button.hidden = false;
    });
    root.querySelectorAll(".toast").forEach((toast) => setTimeout(() => toast.remove(), 10000));
  };
  const copy = async (button) => {
    const source = button.dataset.copy
      ? document.getElementById(button.dataset.copy)
      : button.closest("figure, .copyable").querySelector("pre, input, code");
    const text = source.value === undefined ? source.textContent : source.value;
    const label = button.querySelector("span") || button;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = button.dataset.done || "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      label.textContent = button.dataset.selected || "Selected";
    }
    announce(label.textContent);
    setTimeout(() => { label.textContent = before; }, 2000);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast, .banner").remove();
  });
  prepare(document);
  document.addEventListener("htmx:afterSwap", (event) => prepare(event.target));

  // What someone has unfolded stays so when a step draws its part anew; data-fold names it.
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    unfolded = [...event.target.querySelectorAll("details[data-fold][open]")].map((one) => one.dataset.fold);
  });
  document.addEventListener("htmx:afterSwap", () => {
    document.querySelectorAll("details[data-fold]").forEach((one) => { one.open ||= unfolded.includes(one.dataset.fold); });
  });
  document.addEventListener("portal:refreshed", (event) => prepare(event.target));

  // The environment switch loads the page anew: what was typed into its forms comes along. A hidden
  // input comes along where it holds an answer (`data-kept`), never where it is a token.
  const keptHere = `typed:${location.pathname}`;
  const typedInto = () =>
    [...document.querySelectorAll("main form[method=post] [name]:not([name=environment])")].filter((control) =>
      control.type === "hidden" ? "kept" in control.dataset : !/^(password|file|submit|button)$/.test(control.type),
    );
  const isTouched = (control) => {
    if (control.type === "hidden") return control.value !== "";
    if (control.options) return [...control.options].some((option) => option.selected !== option.defaultSelected);
    return /^(checkbox|radio)$/.test(control.type) ? control.checked !== control.defaultChecked : control.value !== control.defaultValue;
  };
  const switcher = document.querySelector("nav.environment");
  if (switcher) {
    switcher.addEventListener("click", (event) => {
      const controls = event.target.closest("a") ? typedInto() : [];
      if (!controls.some(isTouched)) return;
      sessionStorage.setItem(keptHere, JSON.stringify(controls.map(({ name, value, checked }) => [name, value, checked])));
    });
    const kept = JSON.parse(sessionStorage.getItem(keptHere) || "[]");
    sessionStorage.removeItem(keptHere);
    typedInto().forEach((control) => {
      const isBox = /^(checkbox|radio)$/.test(control.type);
      const at = kept.findIndex(([name, value]) => name === control.name && (!isBox || value === control.value));
      if (at < 0) return;
      const [[, value, checked]] = kept.splice(at, 1);
      if (isBox) control.checked = checked;
      else if (!control.options || [...control.options].some((option) => option.value === value)) control.value = value;
      const fold = isTouched(control) && control.closest("details");
      if (fold) fold.open = true;
    });
  }

  // Facets and sort orders apply at once; their button is for those without scripts.
  document.querySelectorAll("form[data-submit-on-change]").forEach((form) => {
    form.querySelectorAll("[data-without-scripts]").forEach((button) => { button.hidden = true; });
    form.addEventListener("change", () => form.requestSubmit());
  });

  // Selecting all rows of a table, and saying how many are selected.
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-select-all]");
    const scope = event.target.closest("[data-selection]");
    if (!scope) return;
    const boxes = [...scope.querySelectorAll("td.pick input[type=checkbox]")];
    if (all) boxes.forEach((box) => { box.checked = all.checked; });
    const chosen = boxes.filter((box) => box.checked).length;
    scope.querySelectorAll("[data-selected-count]").forEach((place) => { place.textContent = chosen; });
    scope.querySelectorAll("[data-needs-selection]").forEach((button) => { button.disabled = chosen === 0; });
  });

  // The profile shows a theme as soon as it is chosen.
  document.querySelectorAll("input[name=theme]").forEach((radio) =>
    radio.addEventListener("change", () => {
      if (radio.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = radio.value;
    }),
  );
})();
