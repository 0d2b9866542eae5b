// Places on the way of a call at which a test holds it, to end a manager just there. A stop is for one call, which it
// knows by its words and by the name of the container that the call is about.
import { until } from '../until.ts';

/** How far the call has come: 'asked' to 'told' is the way to the server, its work, and the way back. */
export type Phase = 'asked' | 'half asked' | 'answered' | 'half answered' | 'told';

export interface StopPlace {
  /** Of "METHOD /path?query" without the version. */
  readonly call: RegExp;
  /** Undefined: that of any container, or none. */
  readonly name: string | undefined;
  readonly phase: Phase;
}

export interface Asked {
  readonly call: string;
  /** The containers that it is about. */
  readonly isAbout: (name: string) => boolean;
}

/** 'on': as if nothing had held the call, though whoever made it may be gone. 'nowhere': the connection ends here. */
export type Fate = 'on' | 'nowhere';

export class Stop {
  readonly phase: Phase;
  readonly #place: StopPlace;
  readonly #fate: Promise<Fate>;
  #decide: (fate: Fate) => void = () => undefined;
  isTaken = false;
  isReached = false;

  constructor(place: StopPlace) {
    this.#place = place;
    this.phase = place.phase;
    this.#fate = new Promise((resolve) => {
      this.#decide = resolve;
    });
  }

  matches({ call, isAbout }: Asked): boolean {
    const { call: pattern, name } = this.#place;
    return !this.isTaken && pattern.test(call) && (name === undefined || isAbout(name));
  }

  /** The call is here; resolves with what becomes of it. */
  async hold(): Promise<Fate> {
    this.isReached = true;
    return await this.#fate;
  }

  letGo(fate: Fate): void {
    this.#decide(fate);
  }

  toString(): string {
    return `${this.#place.call.source} ${this.phase}`;
  }
}

export class Stops {
  #armed: readonly Stop[] = [];

  /** From now on these calls are held, each once. */
  arm(places: readonly StopPlace[]): readonly Stop[] {
    this.#armed = places.map((place) => new Stop(place));
    return this.#armed;
  }

  take(asked: Asked): Stop | undefined {
    const stop = this.#armed.find((one) => one.matches(asked));
    if (stop !== undefined) stop.isTaken = true;
    return stop;
  }

  /** Resolves when every armed stop holds its call; rejects with those that do not. */
  async allReached(timeoutMs: number): Promise<void> {
    const missing = (): readonly Stop[] => this.#armed.filter(({ isReached }) => !isReached);
    try {
      await until('every call is where it is to be held', () => missing().length === 0, timeoutMs);
    } catch (error) {
      throw new Error(`never came to: ${missing().join(', ')}`, { cause: error });
    }
  }
}
