import { useState } from "react";
import { BoardView } from "./BoardView.js";
import { boardClient, SocketProvider } from "./board.js";
import { LogIn } from "./LogIn.js";
import { getSession, logOut } from "./session.js";

export function App() {
  const [session, setSession] = useState(getSession);
  if (!session) return <LogIn onLogIn={setSession} />;
  const leave = () => {
    logOut();
    setSession(undefined);
  };
  return (
    <SocketProvider client={boardClient}>
      <BoardView name={session.name} onLogOut={leave} />
    </SocketProvider>
  );
}
