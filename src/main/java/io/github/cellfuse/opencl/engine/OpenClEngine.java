package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClException;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanSource;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.spi.Lifetime;
import io.github.cellfuse.spi.RunWatch;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An OpenCL device with a model's weights in its memory. Sessions share its context, programs and weights. */
public final class OpenClEngine implements TracingEngine {
    private static final Logger LOG = LoggerFactory.getLogger(OpenClEngine.class);

    private final ClContext context;
    private final Programs programs;
    private final LstmModel model;
    private final Plans plans;
    /** By layer, which may share weights. */
    private final Map<LstmLayer, DeviceWeights> weights = new LinkedHashMap<>();

    private final Tier tier;
    private final PinnedMemory pinned;
    private final CopyThreads copyThreads;
    private final RunWatch runs;
    private final Cooperation cooperation = new Cooperation();
    /** Doesn't end while a session runs: a launch on released memory would crash the process. */
    private final Lifetime lifetime;

    /** Uploads the weights of {@code model}. No listener receives its runs. */
    public OpenClEngine(ClContext context, Programs programs, LstmModel model, Plans plans, Tier tier) {
        this(context, programs, model, plans, tier, RunWatch.NOBODY);
    }

    private OpenClEngine(ClContext context, Programs programs, LstmModel model, Plans plans, Tier tier, RunWatch runs) {
        this(context, programs, model, plans, tier, PinnedMemory.of(context), CopyThreads.ofMachine(), runs);
    }

    /**
     * An engine whose large batches go through {@code pinned}, copied by {@code copyThreads}, which it shuts down: for
     * tests on devices without memory of their own.
     */
    OpenClEngine(
            ClContext context,
            Programs programs,
            LstmModel model,
            Plans plans,
            Tier tier,
            PinnedMemory pinned,
            CopyThreads copyThreads) {
        this(context, programs, model, plans, tier, pinned, copyThreads, RunWatch.NOBODY);
    }

    private OpenClEngine(
            ClContext context,
            Programs programs,
            LstmModel model,
            Plans plans,
            Tier tier,
            PinnedMemory pinned,
            CopyThreads copyThreads,
            RunWatch runs) {
        this.context = context;
        this.runs = runs;
        this.pinned = pinned;
        this.copyThreads = copyThreads;
        this.programs = programs;
        this.model = programs.weights().round(model);
        this.plans = plans;
        this.tier = tier;
        lifetime = new Lifetime("the engine on " + context.device());
        try (ClQueue queue = context.queue()) {
            for (LstmLayer layer : this.model.layers()) {
                weights.computeIfAbsent(
                        layer, l -> DeviceWeights.upload(context, queue, l.weights(), plans.vec(), programs.weights()));
            }
        } catch (RuntimeException | Error e) {
            closeMemory(); // of the layers before; the context may live on
            throw e;
        }
    }

    /** Opens {@code model} on {@code device}, after comparing the device with the Java engine. */
    public static OpenClEngine open(ClDevice device, LstmModel model, EngineOptions options, PlanSource source) {
        ClContext context = ClContext.openOwned(device);
        try {
            Programs programs = new Programs(context, options.weights());
            Plans plans = source.plans(device.capabilities(), LayerSize.of(model, options.weights()), options.plan());
            Tier tier = tier(context, programs, model, source, plans.asksToWait());
            OpenClEngine engine = new OpenClEngine(context, programs, model, plans, tier, RunWatch.of(options));
            engine.lifetime.watch(engine, "its memory is held until the process ends", engine.copyThreads::shutdown);
            return engine;
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /** Tests the device, a second time if a program from disk fails at its first launch. */
    private static Tier tier(
            ClContext context, Programs programs, LstmModel model, PlanSource source, boolean asksToWait) {
        int before = programs.rebuilds();
        try {
            return SelfTest.tier(context, programs, model, source, asksToWait);
        } catch (ClException e) {
            if (!programs.rebuild(e, before)) {
                throw e;
            }
            return SelfTest.tier(context, programs, model, source, asksToWait);
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
        return lifetime.get(() -> runs.wantsLaunches() ? OpenClSession.recorded(this) : new OpenClSession(this));
    }

    @Override
    public TracedSession newTracedSession() {
        return lifetime.get(() -> new OpenClTracedSession(new OpenClSession(this, true)));
    }

    @Override
    public void close() {
        lifetime.end(() -> {
            copyThreads.shutdown();
            context.close();
        });
    }

    Lifetime lifetime() {
        return lifetime;
    }

    /** Returns how a batch of this shape will run. */
    public PlanChoice choose(int rows, int steps) {
        return choose(rows, steps, true);
    }

    /**
     * Returns how a batch of this shape will run.
     *
     * @param cooperative whether work-items may be cooperative, unless that has cost time just before
     */
    public PlanChoice choose(int rows, int steps, boolean cooperative) {
        return plans.choose(rows, steps, cooperative && cooperation.isAllowed());
    }

    /** Returns what passes the runs on: nothing, unless {@link #open} made the engine. */
    RunWatch runs() {
        return runs;
    }

    /** Decides when work-items may wait for each other. */
    Cooperation cooperation() {
        return cooperation;
    }

    /** Rules out the tile of {@code unfit} from now on. */
    void refuse(UnfitTileException unfit) {
        plans.refuse(unfit);
        LOG.warn("{}: {}; using the next best tile", device(), unfit.getMessage());
    }

    /**
     * Lets no work-item wait for another from now on.
     *
     * @throws DeviceClock.UnusableException {@code clock} itself, if the plans have work-items wait all the same
     */
    void refuse(DeviceClock.UnusableException clock) {
        if (!cooperation.forbid()) {
            throw clock;
        }
        LOG.warn("{}", clock.getMessage());
    }

    /** Returns the memory through which large batches go. */
    PinnedMemory pinnedMemory() {
        return pinned;
    }

    /** Returns what copies to and from that memory. */
    CopyThreads copyThreads() {
        return copyThreads;
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
        return weights.get(model.layer(layer));
    }

    /** Frees the engine's own memory and keeps the context open: for an engine that borrowed it. */
    public void closeMemory() {
        weights.values().forEach(DeviceWeights::close);
        pinned.close();
        copyThreads.shutdown();
    }
}
