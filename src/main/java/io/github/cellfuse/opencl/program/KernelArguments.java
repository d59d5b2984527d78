package io.github.cellfuse.opencl.program;

import io.github.cellfuse.cl.ClBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * How the arguments of one kernel follow from an {@code S}, by name. The names are checked against the kernel's signature once, and
 * resolved to indices.
 *
 * @param <S> the source of the values, such as a batch
 */
public final class KernelArguments<S> {
    private record Binding<S>(Kernel.Argument argument, BiConsumer<Kernel.Argument, S> binder) {}

    private final List<Binding<S>> values;

    private KernelArguments(List<Binding<S>> values) {
        this.values = values;
    }

    /** Binds all arguments but those that change from launch to launch. */
    public void bind(S source) {
        for (Binding<S> value : values) {
            value.binder.accept(value.argument, source);
        }
    }

    /** The arguments of a kernel by name, in any order. */
    public static final class Builder<S> {
        private record Named<S>(String name, BiConsumer<Kernel.Argument, S> binder) {}

        private final List<Named<S>> values = new ArrayList<>();

        /** Adds a buffer. */
        public Builder<S> buffer(String name, Function<S, ClBuffer> value) {
            return add(name, (argument, source) -> argument.set(value.apply(source)));
        }

        /** Adds a buffer that is always the same. */
        public Builder<S> buffer(String name, ClBuffer value) {
            return add(name, (argument, source) -> argument.set(value));
        }

        /** Adds an integer. */
        public Builder<S> integer(String name, ToIntFunction<S> value) {
            return add(name, (argument, source) -> argument.set(value.applyAsInt(source)));
        }

        /** Adds an integer that is always the same. */
        public Builder<S> integer(String name, int value) {
            return add(name, (argument, source) -> argument.set(value));
        }

        /** Adds arguments that change from launch to launch: {@link Kernel#argument} sets them. */
        public Builder<S> perLaunch(String... names) {
            for (String name : names) {
                add(name, (argument, source) -> {});
            }
            return this;
        }

        private Builder<S> add(String name, BiConsumer<Kernel.Argument, S> binder) {
            values.add(new Named<>(name, binder));
            return this;
        }

        /**
         * Returns these arguments for {@code kernel}.
         *
         * @throws io.github.cellfuse.CellFuseException when a name is not in its signature, is missing, or is there twice
         */
        public KernelArguments<S> of(Kernel kernel) {
            kernel.check(values.stream().map(Named::name).toList());
            return new KernelArguments<>(values.stream()
                    .map(value -> new Binding<>(kernel.argument(value.name()), value.binder()))
                    .toList());
        }
    }
}
