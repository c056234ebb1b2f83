/** What decides how a value is written: one object per converter. */
export interface JsonOptions {
  readonly schemasEnable: boolean;
  readonly decimalNumeric: boolean;
  readonly replaceNullWithDefault: boolean;
}
