// A create that no node can take just now. Whoever asked to wait may be held until one can.
import { ApiError } from '../../common/errors.ts';

export class NoRoom extends ApiError {
  /** What some node does not meet, for example "2GiB of memory". */
  readonly conditions: readonly string[];

  constructor(status: number, message: string, conditions: readonly string[]) {
    super(status, message);
    this.name = 'NoRoom';
    this.conditions = conditions;
  }
}
