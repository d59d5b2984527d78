package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanSource;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An OpenCL device with a model's weights in its memory. Sessions share its context, programs and weights. */
public final class OpenClEngine implements TracingEngine {
    private static final Logger LOG = LoggerFactory.getLogger(OpenClEngine.class);

    private final ClContext context;
    private final Programs programs;
    private final LstmModel model;
    private final Plans plans;
    private final List<DeviceWeights> weights;
    private final Tier tier;
    private volatile boolean cooperationWorks = true;
    /** Held for reading while the device is used, and for writing while the engine is closed. */
    private final ReadWriteLock life = new ReentrantReadWriteLock();

    /** Uploads the weights of {@code model}. */
    public OpenClEngine(ClContext context, Programs programs, LstmModel model, Plans plans, Tier tier) {
        this.context = context;
        this.programs = programs;
        this.model = programs.weights().round(model);
        this.plans = plans;
        this.tier = tier;
        try (ClQueue queue = context.queue()) {
            weights = this.model.layers().stream()
                    .map(layer ->
                            DeviceWeights.upload(context, queue, layer.weights(), plans.vec(), programs.weights()))
                    .toList();
        }
    }

    /** Opens {@code model} on {@code device}, after comparing the device with the Java engine. */
    public static OpenClEngine open(ClDevice device, LstmModel model, EngineOptions options, PlanSource source) {
        ClContext context = device.open();
        try {
            Programs programs = new Programs(context, options.weights());
            Plans plans = source.plans(device.capabilities(), LayerSize.of(model, options.weights()), options.plan());
            return new OpenClEngine(context, programs, model, plans, SelfTest.tier(context, programs, model, source));
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    @Override
    public Device device() {
        return OpenClDevices.nameOf(context.device());
    }

    @Override
    public LstmModel model() {
        return model;
    }

    @Override
    public Tier tier() {
        return tier;
    }

    @Override
    public String explain(int rows, int steps) {
        return device() + ": " + choose(rows, steps).reason();
    }

    /** Returns the plan for a batch of this shape. */
    public Plan plan(int rows, int steps) {
        return choose(rows, steps).plan();
    }

    @Override
    public LstmSession newSession() {
        life.readLock().lock();
        try {
            checkOpen();
            return new OpenClSession(this);
        } finally {
            life.readLock().unlock();
        }
    }

    @Override
    public TracedSession newTracedSession() {
        life.readLock().lock();
        try {
            checkOpen();
            return new OpenClTracedSession(new OpenClSession(this, true));
        } finally {
            life.readLock().unlock();
        }
    }

    /** Does {@code work}, or refuses it if the engine is closed; {@link #close} waits until it is done. */
    void whileOpen(Runnable work) {
        life.readLock().lock();
        try {
            checkOpen();
            work.run();
        } finally {
            life.readLock().unlock();
        }
    }

    private void checkOpen() {
        if (context.isClosed()) {
            throw new IllegalStateException("the engine on " + context.device() + " is closed");
        }
    }

    @Override
    public void close() {
        // Not while a session runs: a launch on released memory would crash the process.
        life.writeLock().lock();
        try {
            context.close();
        } finally {
            life.writeLock().unlock();
        }
    }

    /** Returns how a batch of this shape will run. */
    public PlanChoice choose(int rows, int steps) {
        return choose(rows, steps, true);
    }

    /**
     * Returns how a batch of this shape will run.
     *
     * @param cooperative whether work-items may be cooperative, as long as that has not failed on this engine
     */
    public PlanChoice choose(int rows, int steps, boolean cooperative) {
        return plans.choose(rows, steps, cooperationWorks && cooperative);
    }

    /** Rules out cooperative plans from now on: work-items gave up waiting. */
    void refuseCooperative() {
        cooperationWorks = false;
        LOG.warn(
                "{}: cooperative work-items did not run at the same time; this batch runs again without them, and later"
                        + " ones don't use them",
                device());
    }

    /** Rules out the tile of {@code unfit} from now on. */
    void refuse(UnfitTileException unfit) {
        plans.refuse(unfit);
        LOG.warn("{}: {}; using the next best tile", device(), unfit.getMessage());
    }

    Capabilities capabilities() {
        return context.device().capabilities();
    }

    ClContext context() {
        return context;
    }

    Programs programs() {
        return programs;
    }

    DeviceWeights weights(int layer) {
        return weights.get(layer);
    }

    /** Frees the memory of the weights and keeps the context open: for an engine that borrowed it. */
    public void closeWeights() {
        weights.forEach(DeviceWeights::close);
    }
}
