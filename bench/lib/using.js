/** Does `work` with a server and its client. Returns its answer, and what each end used meanwhile. */
export async function using(server, client, work) {
  await Promise.all([server.do("start"), client.do("start")]);
  const answer = await work();
  const [ofServer, ofClient] = await Promise.all([server.do("stop"), client.do("stop")]);
  return { answer, ofServer, ofClient };
}
