-- Part of every statement that notes a failed run, inserted for `:failure`: its entry in the history, of `o`. A run without
-- a class or a stack has no such key.
jsonb_strip_nulls(jsonb_build_object('at', floor(extract(epoch FROM now()) * 1000),
  'class', o.error_class, 'message', o.error, 'stack', o.stack, 'ms', o.ms, 'worker', o.worker))
