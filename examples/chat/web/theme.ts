/** The hue of the page itself, when nobody is logged in. */
const OWN_HUE = 183;

/** Gives the page the hue of its user. */
export function setOwnHue(hue = OWN_HUE): void {
  document.documentElement.style.setProperty("--hue", String(hue));
}
