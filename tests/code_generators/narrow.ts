// This file compiles only if the type of a body narrows by its event. `body.ts` is generated code.
import type { DocumentedPayload } from "./body";

export function pushes(body: DocumentedPayload): number {
  // @ts-expect-error: an item of a form has no such number
  const all: number[] = body.content.map((item) => item.push_times);

  switch (body.event) {
    case "UNREPLIED":
      return body.content.reduce((sum, item) => sum + item.push_times, 0);
    case "PRE_CHAT_FORM_SUBMIT":
    case "OFFLINE_FORM_SUBMIT": {
      // @ts-expect-error: an item of a form has no such number
      const times: number | undefined = body.content[0]?.push_times;
      return body.content.map((item): string => item.message_content).length;
    }
    default: {
      // There is no other event, so no type is left here.
      const nothing: never = body;
      return nothing;
    }
  }
}

// @ts-expect-error: the event is not documented
export const unknown: DocumentedPayload["event"] = "EVENT_OF_TOMORROW";

export function isUnreplied(body: DocumentedPayload): boolean {
  return body.event === "UNREPLIED" && body.content.some((item) => item.status === "1");
}
