/**
 * Takes back a registration: the callback, or the handlers, that it was returned for are not called any more. Calling
 * it again, or from within the callback, is harmless. Other registrations of the same function stay.
 */
export type Unsubscribe = () => void;
