// The same on the wire of 0.0.39: no batches, and none of the other extensions.
export { plain as default } from "./grest.js";
