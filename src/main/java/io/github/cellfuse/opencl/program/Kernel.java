package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.ClProgram;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A kernel whose arguments are bound by the names of its signature. Arguments stay bound from launch to launch. Not
 * thread-safe; make one for each thread.
 */
public final class Kernel implements AutoCloseable {
    private final ClKernel kernel;
    private final List<String> parameters;
    private final BitSet bound = new BitSet();
    private int unbound;

    private Kernel(ClKernel kernel, List<String> parameters) {
        this.kernel = kernel;
        this.parameters = parameters;
        unbound = parameters.size();
    }

    /**
     * Returns a new kernel object of {@code program}.
     *
     * @param signatures those of the program's sources
     * @throws CellFuseException when the driver has compiled another number of parameters than the sources have
     */
    public static Kernel open(ClProgram program, Signatures signatures, String name) {
        List<String> parameters = signatures.parameters(name);
        ClKernel kernel = program.kernel(name);
        if (kernel.arguments() != parameters.size()) {
            int compiled = kernel.arguments();
            kernel.close();
            throw new CellFuseException("kernel '" + name + "': its signature has " + parameters.size()
                    + " parameters, but the driver compiled " + compiled + "; parameters: "
                    + String.join(", ", parameters));
        }
        return new Kernel(kernel, parameters);
    }

    /** Returns the names of the parameters, in the order of the signature. */
    public List<String> parameters() {
        return parameters;
    }

    /** An argument that changes from launch to launch: its name is looked up only once. */
    public record Argument(Kernel kernel, int index) {
        /** Binds the argument to a buffer. */
        public void set(ClBuffer value) {
            kernel.kernel.setBuffer(index, value);
            kernel.markBound(index);
        }

        /** Binds the argument to an integer. */
        public void set(int value) {
            kernel.kernel.setInt(index, value);
            kernel.markBound(index);
        }
    }

    /**
     * Returns the argument with this name.
     *
     * @throws CellFuseException when the kernel has no such parameter
     */
    public Argument argument(String name) {
        return new Argument(this, index(name));
    }

    /** Binds the argument {@code name} to a buffer. */
    public Kernel set(String name, ClBuffer value) {
        argument(name).set(value);
        return this;
    }

    /** Binds the argument {@code name} to an integer. */
    public Kernel set(String name, int value) {
        argument(name).set(value);
        return this;
    }

    /** Binds the argument {@code name} to a float. */
    public Kernel set(String name, float value) {
        int index = index(name);
        kernel.setFloat(index, value);
        markBound(index);
        return this;
    }

    /**
     * Returns the kernel to launch.
     *
     * @throws CellFuseException when an argument is not bound yet
     */
    public ClKernel ready() {
        if (unbound > 0) {
            List<String> names = bound.stream().mapToObj(parameters::get).toList();
            throw new CellFuseException(mismatch(names));
        }
        return kernel;
    }

    /** Returns the largest work-group that the device runs this kernel with; the device's own if that isn't told. */
    public long maxWorkGroupSize() {
        return kernel.maxWorkGroupSize();
    }

    @Override
    public void close() {
        kernel.close();
    }

    private int index(String name) {
        int index = parameters.indexOf(name);
        if (index < 0) {
            throw new CellFuseException("kernel '" + kernel.name() + "' has no parameter '" + name + "'; parameters: "
                    + String.join(", ", parameters));
        }
        return index;
    }

    private void markBound(int index) {
        if (!bound.get(index)) {
            bound.set(index);
            unbound--;
        }
    }

    /** Checks that {@code names} are the names of all parameters, each once, in any order. */
    void check(Collection<String> names) {
        if (names.size() != parameters.size() || !Set.copyOf(parameters).equals(Set.copyOf(names))) {
            throw new CellFuseException(mismatch(names));
        }
    }

    /** Says what is wrong with {@code names}, with both lists. */
    private String mismatch(Collection<String> names) {
        List<String> problems = new ArrayList<>();
        Set<String> seen = new LinkedHashSet<>();
        for (String name : names) {
            if (!parameters.contains(name)) {
                problems.add("no parameter '" + name + "'");
            }
            if (!seen.add(name)) {
                problems.add("'" + name + "' is bound twice");
            }
        }
        for (String name : parameters) {
            if (!seen.contains(name)) {
                problems.add("'" + name + "' is not bound");
            }
        }
        return "kernel '" + kernel.name() + "': " + String.join(", ", problems) + "; bound: " + String.join(", ", names)
                + "; parameters: " + String.join(", ", parameters);
    }
}
