import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type * as z from "zod";

import { findChanges } from "./diff.ts";
import { checkProps, type Props, writeProps } from "./properties.ts";

/** Inputs filled in, or what is wrong with them. */
export function checked(schema: z.ZodType, news: Props, untouched: Props = {}): messages.CheckResponse {
  const result = checkProps(schema, news);
  const response = new messages.CheckResponse();
  if ("props" in result) {
    response.setInputs(writeProps({ ...result.props, ...untouched }));
    return response;
  }
  for (const { property, reason } of result.failures) {
    const failure = new messages.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    response.addFailures(failure);
  }
  return response;
}

/** Where inputs differ, and what that means for the resource. */
export function differing(olds: Props, news: Props, replaces: (property: string) => boolean): messages.DiffResponse {
  const { Kind } = messages.PropertyDiff;
  const kinds = { add: [Kind.ADD, Kind.ADD_REPLACE], delete: [Kind.DELETE, Kind.DELETE_REPLACE], update: [Kind.UPDATE, Kind.UPDATE_REPLACE] } as const;
  const changes = findChanges(olds, news);
  const properties = [...new Set(changes.map(({ property }) => property))];
  const response = new messages.DiffResponse();
  response.setChanges(changes.length > 0 ? messages.DiffResponse.DiffChanges.DIFF_SOME : messages.DiffResponse.DiffChanges.DIFF_NONE);
  response.setDiffsList(properties);
  response.setReplacesList(properties.filter(replaces));
  response.setHasdetaileddiff(true);
  for (const { path, kind, property } of changes) {
    const detail = new messages.PropertyDiff();
    detail.setKind(kinds[kind][replaces(property) ? 1 : 0]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}
