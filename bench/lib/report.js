export async function writeReport(_results) {}
