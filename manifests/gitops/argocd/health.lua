-- Health of a TuningSweep for Argo CD. Trials may run for hours: a sweep is Healthy from its first trial on.
local verdicts = {
  {"Complete", "Healthy"},
  {"Failed", "Degraded"},
  {"Stalled", "Degraded"},
  {"Suspended", "Suspended"},
  {"Reconciling", "Progressing"},
}
local status = obj.status or {}
if status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not seen this version of the sweep yet"}
end
local holding = {}
for _, condition in ipairs(status.conditions) do
  if condition.status == "True" then
    holding[condition.type] = condition
  end
end
for _, verdict in ipairs(verdicts) do
  local condition = holding[verdict[1]]
  if condition ~= nil then
    return {status = verdict[2], message = condition.reason .. ": " .. condition.message}
  end
end
return {status = "Healthy", message = "trials run"}
