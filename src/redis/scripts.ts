import { createHash } from "node:crypto";

/** A script that Redis runs as one step. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/**
 * How long a channel keeps its epoch after the history is gone, in ms: what was missed in a quiet channel is "nothing". A
 * read in the second half of it begins it anew.
 */
const META_TTL = 24 * 60 * 60_000;

/** How long members of a channel stay that no node refreshes, in ms. */
export const MEMBERS_TTL = 60 * 60_000;

/** The scripts; pub/sub in a cluster is by slot. */
export interface Scripts {
  /**
   * Keeps a message and publishes it. Keys: meta, stream. Arguments: body, from, what makes another epoch of `from` in a
   * later attempt (empty in the first), size, ttl, the known epoch and offset, channel. Returns the
   * position: epoch, ":", offset.
   */
  readonly publish: Script;
  /**
   * Finds what a node has published. Keys: meta, stream. Arguments: what `from` begins with, how many messages are looked
   * at, and the position after which they are. Returns the epoch, the lowest offset from which on all was looked at, and
   * then `from` and offset of each, the latest first.
   */
  readonly findOwn: Script;
  /**
   * Reads what follows a position, or the latest without an epoch. Keys: meta, stream. Arguments: epoch, offset, limit, the
   * name of a new epoch, which begins where there is none, and where the position is ahead. Returns epoch, offset of the
   * latest, 1 if all is there, and then body and from of each message.
   */
  readonly read: Script;
  /**
   * Changes members. Key: members. Arguments: channel, then for each: member, length of its name or "" to remove it,
   * information. Every change gets a version and is published.
   */
  readonly changeMembers: Script;
  /** All fields of a hash. */
  readonly readHash: Script;
  /**
   * Keeps the list of living nodes by the clock of Redis. Key: nodes. Arguments: "join", "refresh", "leave" or "look",
   * incarnation, ttl; none lives for longer, since that clock may have gone back. Returns 1, or 0 where there was nothing to refresh, and then all incarnations that live.
   */
  readonly nodes: Script;
  readonly all: readonly Script[];
}

/** The scripts for a single Redis, or for a cluster. */
export function scriptsFor(isCluster: boolean): Scripts {
  const PUBLISH = isCluster ? "SPUBLISH" : "PUBLISH";
  const scripts = {
    // Redis looks whether it has memory before the first write of a script only, and deletes in any case: another write
    // comes before that. A stream that is ahead of the position is left by a script that has failed half way.
    publish: script(`
local epoch, top = string.match(redis.call('GET', KEYS[1]) or '', '^(.+):(%d+)$')
local known = tonumber(ARGV[7])
top = tonumber(top or 0)
local isKnown = ARGV[6] == epoch
local function begin()
  epoch, top = ARGV[2] .. ARGV[3], 0
  redis.call('SET', KEYS[1], epoch .. ':0')
  redis.call('DEL', KEYS[2])
end
local function add()
  local id = string.format('%.0f-0', top + 1)
  return redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], id, 'b', ARGV[1], 'f', ARGV[2])
end
if not epoch or (isKnown and known > top) then begin() end
local added = add()
if added.err and string.find(added.err, 'equal or smaller', 1, true) then
  begin()
  added = add()
end
if added.err then return added end
local position = epoch .. ':' .. string.format('%.0f', top + 1)
redis.call('SET', KEYS[1], position, 'PX', string.format('%.0f', ARGV[5] + ${META_TTL}))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('${PUBLISH}', ARGV[8], 'k' .. position .. ':' .. ARGV[2] .. ':' .. ARGV[1])
return position`),
    findOwn: script(`
local epoch, top = string.match(redis.call('GET', KEYS[1]) or '', '^(.+):(%d+)$')
if not epoch then return { '', 0 } end
local reply = { epoch, tonumber(top) + 1 }
local first = epoch == ARGV[3] and string.format('%.0f-0', ARGV[4] + 1) or '-'
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', first, 'COUNT', ARGV[2])) do
  local from, offset = entry[2][4], tonumber(string.match(entry[1], '^%d+'))
  reply[2] = offset
  if string.sub(from, 1, #ARGV[1]) == ARGV[1] then
    reply[#reply + 1] = from
    reply[#reply + 1] = offset
  end
end
return reply`),
    read: script(`
local epoch, top = string.match(redis.call('GET', KEYS[1]) or '', '^(.+):(%d+)$')
local after = tonumber(ARGV[2])
top = tonumber(top or 0)
if not epoch or (epoch == ARGV[1] and after > top) then
  redis.call('SET', KEYS[1], ARGV[4] .. ':0', 'PX', ${META_TTL})
  redis.call('DEL', KEYS[2])
  return { ARGV[4], 0, 0 }
end
if redis.call('PTTL', KEYS[1]) < ${META_TTL / 2} then redis.call('PEXPIRE', KEYS[1], ${META_TTL}) end
if ARGV[1] == '' and tonumber(ARGV[3]) > 0 then
  local latest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', ARGV[3])
  local reply = { epoch, top, 1 }
  if not latest[1] or latest[1][1] ~= string.format('%.0f-0', top) then return reply end
  for i = #latest, 1, -1 do
    reply[#reply + 1] = latest[i][2][2]
    reply[#reply + 1] = latest[i][2][4]
  end
  return reply
end
if epoch ~= ARGV[1] or top - after > tonumber(ARGV[3]) then return { epoch, top, 0 } end
if after == top then return { epoch, top, 1 } end
local entries = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', after + 1), '+')
if #entries ~= top - after then return { epoch, top, 0 } end
local reply = { epoch, top, 1 }
for i, entry in ipairs(entries) do
  reply[2 * i + 2], reply[2 * i + 3] = entry[2][2], entry[2][4]
end
return reply`),
    changeMembers: script(`
local function publish(kind, rest)
  local version = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'v', 1))
  redis.call('${PUBLISH}', ARGV[1], kind .. version .. ':' .. rest)
end
for i = 2, #ARGV, 3 do
  local member, length, info = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if length == '' then
    if redis.call('HDEL', KEYS[1], member) == 1 then publish('r', member) end
  elseif redis.call('HGET', KEYS[1], member) ~= info then
    redis.call('HSET', KEYS[1], member, info)
    publish('s', length .. ':' .. member .. info)
  end
end
redis.call('PEXPIRE', KEYS[1], ${MEMBERS_TTL})`),
    readHash: script("return redis.call('HGETALL', KEYS[1])"),
    nodes: script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local last = string.format('%.0f', now + ARGV[3])
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. last, '+inf', 'BYSCORE')) do
  redis.call('ZADD', KEYS[1], last, name)
end
local isThere = 1
if ARGV[1] == 'refresh' and not redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  isThere = 0
elseif ARGV[1] == 'join' or ARGV[1] == 'refresh' then
  redis.call('ZADD', KEYS[1], last, ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ${MEMBERS_TTL})
elseif ARGV[1] == 'leave' then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
local reply = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(reply, 1, isThere)
return reply`),
  };
  return { ...scripts, all: Object.values(scripts) };
}

function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
