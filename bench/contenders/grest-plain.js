// The same with the wire format of 0.0.39: no batches, no other extensions.
export { plain as default } from "./grest.js";
