/** Every frame of this chat, byte for byte, with its keys in order. */

const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const UUID = `"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"`;
const ID = String.raw`[1-9]\d*`;
const TIME = String.raw`\d{13}`;
const ERROR_CONTEXT = String.raw`"context":\{"displayMessage":${TEXT},"timestamp":${TIME},"ref":"ERR_REF_\w+"\}`;

const PERSON = String.raw`\{"userId":${TEXT},"name":${TEXT},"channelId":${TEXT}\}`;
const MESSAGE = String.raw`\{"id":${UUID},"text":${TEXT},"senderId":${TEXT},"senderName":${TEXT},"channelId":${TEXT},"timestamp":${TIME}\}`;
const NEWS = String.raw`\{"channelId":${TEXT},"senderId":${TEXT}\}`;
const failure = (type: string, status: number) =>
  String.raw`\{"success":false,"type":"${type}","statusCode":${status},${ERROR_CONTEXT}\}`;
const success = (data: string) => String.raw`\{"success":true,"type":"OK","data":${data}\}`;

const forms = (patterns: readonly string[]) => patterns.map((pattern) => new RegExp(`^${pattern}$`));

const CAPABILITIES = `,"ws-capabilities":"batch alive cancel drain resume"`;
const RESUME = String.raw`,"ws-resume":"\{\\"session\\":\\"\d+\\",\\"serial\\":${ID},\\"at\\":\[.*\]\}"`;

/** The client's frames. */
export const CLIENT_FRAMES = forms([
  String.raw`h:::\{"authorization":"Bearer [\w-]+"(?:${CAPABILITIES}|${RESUME}){2}\}`,
  "p:::",
  String.raw`r:ChatApi\.joinRoom:${ID}:\{"roomId":${TEXT}\}`,
  String.raw`r:ChatApi\.sendMessage:${ID}:\{"text":${TEXT},"channelId":${TEXT},"messageId":${UUID}\}`,
  String.raw`m:ChatApi\.startTyping::\{"channelId":${TEXT}\}`,
  String.raw`m:ChatApi\.markAsRead::\{"messageId":${UUID}\}`,
  String.raw`s:ChatApi\.areYouThere:${ID}:${success("true")}`,
]);

/** The server's frames to a client of 0.0.39. */
export const SERVER_FRAMES = forms([
  "k:::null",
  "o:::",
  `x:::${failure("NOT_AUTHORIZED", 401)}`,
  String.raw`s:ChatApi\.joinRoom:${ID}:${success(String.raw`\{"joined":true\}`)}`,
  String.raw`s:ChatApi\.joinRoom:${ID}:${failure("NOT_FOUND", 404)}`,
  String.raw`s:ChatApi\.joinRoom:${ID}:${failure("ROOM_FULL", 400)}`,
  String.raw`s:ChatApi\.sendMessage:${ID}:${success(String.raw`\{"success":true,"messageId":${UUID}\}`)}`,
  String.raw`s:ChatApi\.sendMessage:${ID}:${failure("NOT_IN_ROOM", 409)}`,
  String.raw`m:ChatApi\.newMessage::${MESSAGE}`,
  String.raw`m:ChatApi\.roomNews::${NEWS}`,
  String.raw`m:ChatApi\.typing::${PERSON}`,
  String.raw`m:ChatApi\.messageRead::\{"messageId":${UUID},"userId":${TEXT},"name":${TEXT}\}`,
  String.raw`m:ChatApi\.presence::\{"online":\[(?:${PERSON}(?:,${PERSON})*)?\]\}`,
  String.raw`r:ChatApi\.areYouThere:${ID}:`,
]);

const POSITION = String.raw`"epoch":"[^"]+","offset":\d+(?:,"recovered":true,"missed":\d+|,"recovered":false)?`;

/** The server's frames to a client of this version, which resumes. */
export const SERVER_FRAMES_NOW = [
  ...SERVER_FRAMES,
  ...forms([
    String.raw`k:::\{"ws-capabilities":"batch=65536 alive=25000,10000 cancel drain resume=100"\}`,
    String.raw`g::${ID}:(?:\{(?:"group":"(?:room|news):\w+",)?${POSITION}\}|\d+)?`,
    String.raw`m:ChatApi\.newMessage:${ID}\.${ID}:${MESSAGE}`,
    String.raw`m:ChatApi\.roomNews:${ID}\.${ID}:${NEWS}`,
  ]),
];

/** Frames that match none of the forms. */
export function strangeFrames(frames: readonly string[], known: readonly RegExp[]): string[] {
  return frames.filter((frame) => !known.some((form) => form.test(frame)));
}
