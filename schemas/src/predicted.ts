/**
 * Fields that others say already (docs/decisions/0028): tcp_events stores the difference to what they predict, which
 * is nearly always 0, as `<name>_rest`, and has the field itself as an alias. Differences wrap at the field's width, so
 * that every value comes back as it was.
 */
import { EVENT_FIELDS, type Field, type Prediction } from './fields.ts';

export interface PredictedField extends Omit<Field, 'type' | 'predicted'> {
  readonly type: 'time' | 'u64' | 'u32';
  readonly predicted: Prediction;
}

export function isPredicted(field: Field): field is PredictedField {
  return field.predicted !== undefined;
}

export const PREDICTED_FIELDS: readonly PredictedField[] = EVENT_FIELDS.filter(isPredicted);

export const restName = ({ name }: Pick<Field, 'name'>): string => `${name}_rest`;

export const restType = ({ type }: PredictedField): string => (type === 'u32' ? 'Int32' : 'Int64');

/** The field out of what is stored, of exactly its type. */
export function aliasSql(field: PredictedField): string {
  const sum = `${predictionSql(field)} + ${restName(field)}`;
  if (field.type === 'time') return `fromUnixTimestamp64Micro(${sum}, 'UTC')`;
  return `${field.type === 'u64' ? 'toUInt64' : 'toUInt32'}(${sum})`;
}

/** What is to be stored, where a row of all fields is at hand. */
export function restSql(field: PredictedField): string {
  return `${numberSql(field.name)} - (${predictionSql(field)})`;
}

function predictionSql({ predicted }: PredictedField): string {
  const { plus, minus = [], plusOfClient, unlessZero } = predicted;
  const terms = plus.map(numberSql);
  if (plusOfClient) terms.push(`if(role = 'client', ${numberSql(plusOfClient)}, 0)`);
  const sum = [terms.join(' + '), ...minus.map(numberSql)].join(' - ');
  if (unlessZero) return `if(${unlessZero} = 0, 0, ${sum})`;
  return sum;
}

/** A column as a number. */
function numberSql(name: string): string {
  const isTime = EVENT_FIELDS.some((field) => field.name === name && field.type === 'time');
  return isTime ? `toUnixTimestamp64Micro(${name})` : name;
}

/** The prediction for a reader. */
export function predictionText({ predicted }: PredictedField): string {
  const { plus, minus = [], plusOfClient, unlessZero } = predicted;
  const client = plusOfClient ? ` (+ ${plusOfClient} of a client)` : '';
  const unless = unlessZero ? `, to 0 where ${unlessZero} is 0` : '';
  return `${[plus.join(' + ') + client, ...minus].join(' - ')}${unless}`;
}
