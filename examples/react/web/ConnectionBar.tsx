import { sentenceOf } from "@grest-ts/websocket";
import { useConnection } from "./board.js";

/** Says where the connection is. Without one, also why, and when the next attempt is made. */
export function ConnectionBar({ onLogOut }: { readonly onLogOut: () => void }) {
  const { state, error, nextTryAt } = useConnection();
  const isOver = state === "closed";
  return (
    <p className={`connection ${state}`} role="status">
      {state === "connected" ? "Connected" : isOver ? "Not connected" : "Connecting…"}
      {error && state !== "connected" && <span> {sentenceOf(error)}.</span>}
      {nextTryAt !== undefined && <span> Next attempt at {new Date(nextTryAt).toLocaleTimeString()}.</span>}
      {isOver && (
        <button type="button" onClick={onLogOut}>
          Log in again
        </button>
      )}
    </p>
  );
}
