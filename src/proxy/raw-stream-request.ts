// Requests that turn their connection into a raw stream without saying Upgrade, as old clients attach. Node's
// parser would read the bytes behind such a request as another request; told that it is an upgrade, it lets go
// of the connection right behind the head, and the server's `upgrade` event delivers both kinds alike.
import { IncomingMessage } from 'node:http';

/** Whether a request makes a raw stream of its connection; `url` as it stands in the request line. */
export type TakesOverConnection = (method: string, url: string) => boolean;

/** The `IncomingMessage` option of a server whose `upgrade` event is to deliver the requests that `takesOver` names as well.
 *  The server needs an `upgrade` listener, otherwise all of them stay ordinary requests. A request that says Upgrade
 *  where `mayUpgrade` denies it stays one too: some clients offer HTTP/2 with every request. */
export function rawStreamRequests(
  takesOver: TakesOverConnection,
  mayUpgrade: TakesOverConnection = () => true,
): typeof IncomingMessage {
  // Declared fields, because the base constructor already writes to `upgrade`.
  return class RawStreamRequest extends IncomingMessage {
    declare private saysUpgrade: boolean | null | undefined;
    declare private decision: boolean | undefined;

    get upgrade(): boolean | null {
      if (this.decision !== undefined) return this.decision;
      if (typeof this.saysUpgrade !== 'boolean') return null;
      return (this.saysUpgrade ? mayUpgrade : takesOver)(this.method ?? '', this.url ?? '');
    }

    /** Written with null at birth, then by the parser, then by the server, which decides. */
    set upgrade(value: boolean | null) {
      if (typeof this.saysUpgrade === 'boolean') this.decision = value ?? false;
      else this.saysUpgrade = value;
    }
  };
}
