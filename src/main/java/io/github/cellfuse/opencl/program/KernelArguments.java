package io.github.cellfuse.opencl.program;

import io.github.cellfuse.cl.ClBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * How the arguments of one kernel follow from an {@code S}, by name. The names are checked against the kernel's
 * signature and resolved to indices once.
 *
 * @param <S> the source of the values, such as a batch
 */
public final class KernelArguments<S> {
    private record BufferArgument<S>(Kernel.Argument argument, Function<S, ClBuffer> value) {}

    private record IntegerArgument<S>(Kernel.Argument argument, ToIntFunction<S> value) {}

    private final List<BufferArgument<S>> buffers = new ArrayList<>();
    private final List<IntegerArgument<S>> integers = new ArrayList<>();

    private KernelArguments() {}

    /** Binds the arguments that follow from {@code source}. */
    public void bind(S source) {
        for (BufferArgument<S> each : buffers) {
            each.argument.set(each.value.apply(source));
        }
        for (IntegerArgument<S> each : integers) {
            each.argument.set(each.value.applyAsInt(source));
        }
    }

    /** The arguments of a kernel by name, in any order. */
    public static final class Builder<S> {
        private final List<String> names = new ArrayList<>();
        private final List<Map.Entry<String, Consumer<Kernel.Argument>>> constants = new ArrayList<>();
        private final List<Map.Entry<String, Function<S, ClBuffer>>> buffers = new ArrayList<>();
        private final List<Map.Entry<String, ToIntFunction<S>>> integers = new ArrayList<>();

        /** Adds a buffer. */
        public Builder<S> buffer(String name, Function<S, ClBuffer> value) {
            names.add(name);
            buffers.add(Map.entry(name, value));
            return this;
        }

        /** Adds an integer. */
        public Builder<S> integer(String name, ToIntFunction<S> value) {
            names.add(name);
            integers.add(Map.entry(name, value));
            return this;
        }

        /** Adds a buffer that is always the same: it is bound only once. */
        public Builder<S> constant(String name, ClBuffer value) {
            names.add(name);
            constants.add(Map.entry(name, argument -> argument.set(value)));
            return this;
        }

        /** Adds an integer that is always the same: it is bound only once. */
        public Builder<S> constant(String name, int value) {
            names.add(name);
            constants.add(Map.entry(name, argument -> argument.set(value)));
            return this;
        }

        /** Adds arguments that change from launch to launch: {@link Kernel#argument} sets them. */
        public Builder<S> perLaunch(String... changing) {
            names.addAll(List.of(changing));
            return this;
        }

        /**
         * Returns these arguments for {@code kernel}, and binds those that are constant.
         *
         * @throws io.github.cellfuse.CellFuseException when a name is not in its signature, is missing, or is there
         *     twice
         */
        public KernelArguments<S> of(Kernel kernel) {
            kernel.check(names);
            KernelArguments<S> arguments = new KernelArguments<>();
            constants.forEach(each -> each.getValue().accept(kernel.argument(each.getKey())));
            buffers.forEach(each ->
                    arguments.buffers.add(new BufferArgument<>(kernel.argument(each.getKey()), each.getValue())));
            integers.forEach(each ->
                    arguments.integers.add(new IntegerArgument<>(kernel.argument(each.getKey()), each.getValue())));
            return arguments;
        }
    }
}
