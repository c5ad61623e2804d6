/** Who has logged in, in this tab. */
export interface Session {
  readonly name: string;
  readonly token: string;
}

const KEY = "board";

export function getSession(): Session | undefined {
  const saved = sessionStorage.getItem(KEY);
  return saved === null ? undefined : (JSON.parse(saved) as Session);
}

export const getToken = () => getSession()?.token ?? "";

/** @throws Error with a sentence for the user */
export async function logIn(name: string): Promise<Session> {
  const response = await fetch("/api/login", { method: "POST", body: JSON.stringify({ name }) });
  if (!response.ok) throw new Error("A name has 1 to 24 characters");
  const { token } = (await response.json()) as { readonly token: string };
  const session = { name, token };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

export function logOut(): void {
  sessionStorage.removeItem(KEY);
}
