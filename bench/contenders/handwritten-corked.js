// The same with corking: all frames of a tick are sent in one write, because writes cost most.
export { corked as default } from "./handwritten.js";
