import * as z from "zod";

import { known } from "./properties.ts";

/** The schema of a check: any value in it, however deep, may be one that only an update will know. Rules between properties are left to the caller. */
export function previewable(schema: z.ZodObject): z.ZodType {
  return z.strictObject(Object.fromEntries(Object.entries<z.core.$ZodType>(schema.shape).map(([name, property]) => [name, unknowable(property)])));
}

function unknowable(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional) return unknowable(schema.def.innerType).optional();
  if (schema instanceof z.ZodDefault) return unknowable(schema.def.innerType).default(schema.def.defaultValue);
  if (schema instanceof z.ZodArray) return known(new z.ZodArray({ ...schema.def, element: unknowable(schema.def.element) }));
  if (schema instanceof z.ZodRecord) return known(new z.ZodRecord({ ...schema.def, valueType: unknowable(schema.def.valueType) }));
  if (schema instanceof z.ZodObject) return known(previewable(schema));
  return known(schema as z.ZodType);
}
