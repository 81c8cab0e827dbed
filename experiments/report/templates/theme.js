"use strict";
// Before anything is painted: that there are scripts, and the theme that was chosen here before.
document.documentElement.classList.add("js");
try {
  const chosen = localStorage.getItem("cem-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* no storage: the system's theme */ }
