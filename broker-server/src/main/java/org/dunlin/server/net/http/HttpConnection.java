package org.dunlin.server.net.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.dunlin.server.http.Service;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread of the channel's loop only. One connection: gathers a request, has it answered, and only then reads the next. Whoever does
 * not say something complete for {@link #PATIENCE_MILLIS} is closed.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);

    /** From the end of an answer, or the connection's begin, to the end of the next request. */
    static final long PATIENCE_MILLIS = 30_000;
    /** Parts of requests that were read together with one that is being answered; those beyond are refused in their turn. */
    private static final int AHEAD_MAX = 64;
    /** So that what lies between does not take a silent stream for a dead one. */
    private static final long HEARTBEAT_MILLIS = 15_000;

    private final Service service;
    private final Executor workers;
    private final int maxBodyBytes;
    private final boolean secure;
    private final @Nullable MqttUpgrade webSocket;

    private final ArrayDeque<Object> ahead = new ArrayDeque<>(4);
    private @Nullable HttpRequest request;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private boolean answering;
    /** More came than is kept, and none of what came behind it. */
    private boolean overrun;
    /** Nothing that comes is looked at any more. */
    private boolean ending;

    private @Nullable ScheduledFuture<?> patience;
    private @Nullable Stream stream;

    /** @param webSocket what it becomes after a request that is answered with 101; null for nothing */
    HttpConnection(
            Service service, Executor workers, int maxBodyBytes, boolean secure, @Nullable MqttUpgrade webSocket) {
        this.webSocket = webSocket;
        this.service = service;
        this.workers = workers;
        this.maxBodyBytes = maxBodyBytes;
        this.secure = secure;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        await(context);
        context.fireChannelActive();
    }

    private void await(ChannelHandlerContext context) {
        patience = context.executor().schedule(() -> context.close(), PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void stopWaiting() {
        if (patience != null) {
            patience.cancel(false);
            patience = null;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object part) {
        if (!answering || ending) {
            take(context, part);
        } else if (overrun || ahead.size() == AHEAD_MAX) {
            overrun = true;
            ReferenceCountUtil.release(part);
        } else {
            ahead.add(part);
        }
    }

    private void take(ChannelHandlerContext context, Object part) {
        try {
            if (ending) {
                return;
            }
            if (part instanceof HttpRequest head) {
                begin(context, head);
            }
            if (!ending && part instanceof HttpContent content) {
                gather(context, content);
            }
        } finally {
            ReferenceCountUtil.release(part);
        }
    }

    private void begin(ChannelHandlerContext context, HttpRequest head) {
        request = head;
        body.reset();
        if (head.decoderResult().isFailure()) {
            refuse(context, HttpResponseStatus.BAD_REQUEST, "this is no request of HTTP/1.1, or its head is too long");
        } else if (!hasOneMeaning(head.headers())) {
            refuse(
                    context,
                    HttpResponseStatus.BAD_REQUEST,
                    "Host may be there once, and no transfer coding but chunked");
        } else if (HttpUtil.getContentLength(head, 0L) > maxBodyBytes) {
            refuse(context, HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, tooLarge());
        } else if (HttpUtil.is100ContinueExpected(head)) {
            context.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
        }
    }

    /** A proxy before the broker may take the other host, or see the end of the body elsewhere. */
    private static boolean hasOneMeaning(HttpHeaders headers) {
        List<String> codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
        return headers.getAll(HttpHeaderNames.HOST).size() <= 1
                && (codings.isEmpty()
                        || codings.size() == 1
                                && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(
                                        codings.get(0).strip()));
    }

    private String tooLarge() {
        return "the body has more than " + maxBodyBytes + " bytes";
    }

    private void gather(ChannelHandlerContext context, HttpContent content) {
        HttpRequest head = request;
        if (head == null) {
            return;
        }
        if (content.decoderResult().isFailure()) {
            refuse(context, HttpResponseStatus.BAD_REQUEST, "the body is not chunked as it has to be");
            return;
        }
        if (body.size() + content.content().readableBytes() > maxBodyBytes) {
            refuse(context, HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, tooLarge());
            return;
        }
        body.writeBytes(ByteBufUtil.getBytes(content.content()));
        if (content instanceof LastHttpContent) {
            request = null;
            stopWaiting();
            ask(context, head);
        }
    }

    private void ask(ChannelHandlerContext context, HttpRequest head) {
        Request asked;
        try {
            asked = Request.of(
                    head.method().name(),
                    head.uri(),
                    headers(head),
                    body.toByteArray(),
                    (InetSocketAddress) context.channel().remoteAddress(),
                    secure);
        } catch (Request.Malformed malformed) {
            refuse(context, HttpResponseStatus.BAD_REQUEST, String.valueOf(malformed.getMessage()));
            return;
        }
        body.reset();
        answering = true;
        context.channel().config().setAutoRead(false);
        try {
            workers.execute(() -> service(context, head, asked));
        } catch (RejectedExecutionException full) {
            answer(context, head, asked, Response.text(503, "too many requests wait; ask again in a few seconds"));
        }
    }

    private static Map<String, String> headers(HttpRequest head) {
        Map<String, String> headers = new HashMap<>();
        for (Map.Entry<String, String> header : head.headers()) {
            headers.putIfAbsent(header.getKey().toLowerCase(Locale.ROOT), header.getValue());
        }
        return Map.copyOf(headers);
    }

    /** By a worker. */
    private void service(ChannelHandlerContext context, HttpRequest head, Request asked) {
        try {
            service.answer(asked)
                    .whenComplete((response, failure) -> context.executor()
                            .execute(() ->
                                    answer(context, head, asked, failure == null ? response : failed(asked, failure))));
        } catch (RuntimeException | Error failure) {
            context.executor().execute(() -> answer(context, head, asked, failed(asked, failure)));
        }
    }

    private static Response failed(Request asked, Throwable failure) {
        LOG.error("{} {} failed", asked.method(), asked.pathText(), failure);
        return Response.text(500, "the broker has made a mistake; its log says more");
    }

    private void answer(ChannelHandlerContext context, HttpRequest head, Request asked, Response response) {
        if (!context.channel().isActive()) {
            if (response.events() != null) {
                Stream gone = new Stream(context);
                gone.closed();
                response.events().accept(gone);
            }
            return;
        }
        if (response.events() != null) {
            stream(context, response);
            return;
        }
        if (response.status() == HttpResponseStatus.SWITCHING_PROTOCOLS.code() && webSocket != null) {
            ending = true;
            webSocket.begin(context, head, asked, workers);
            return;
        }
        boolean keepAlive = HttpUtil.isKeepAlive(head);
        FullHttpResponse full = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(response.status()),
                head.method().name().equals("HEAD") ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(response.body()));
        fill(full, response);
        HttpUtil.setContentLength(full, response.body().length);
        HttpUtil.setKeepAlive(full, keepAlive);
        ChannelFuture written = context.writeAndFlush(full);
        if (!keepAlive) {
            ending = true;
            written.addListener(ChannelFutureListener.CLOSE);
            return;
        }
        answering = false;
        await(context);
        while (!ahead.isEmpty() && !answering) {
            take(context, ahead.remove());
        }
        if (answering || ending) {
            return;
        }
        if (overrun) {
            refuse(
                    context,
                    HttpResponseStatus.TOO_MANY_REQUESTS,
                    "too many requests came before they could be answered; send the next when there is an answer");
            return;
        }
        context.channel().config().setAutoRead(true);
    }

    private static void fill(HttpResponse response, Response from) {
        HttpHeaders headers = response.headers();
        headers.set(HttpHeaderNames.CONTENT_TYPE, from.contentType());
        from.headers().forEach(headers::set);
    }

    /** Is answered, then closed, since where the next request begins is not known. */
    private void refuse(ChannelHandlerContext context, HttpResponseStatus status, String why) {
        ending = true;
        request = null;
        stopWaiting();
        Response text = Response.text(status.code(), why);
        FullHttpResponse full =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(text.body()));
        fill(full, text);
        HttpUtil.setContentLength(full, text.body().length);
        HttpUtil.setKeepAlive(full, false);
        context.writeAndFlush(full).addListener(written -> closeSoon(context));
    }

    /** What the peer still sends is thrown away for a moment: a reset would take the answer from it. */
    private static void closeSoon(ChannelHandlerContext context) {
        context.channel().config().setAutoRead(true);
        context.executor().schedule(() -> context.close(), 1, TimeUnit.SECONDS);
    }

    // ---- events

    private void stream(ChannelHandlerContext context, Response response) {
        DefaultHttpResponse head =
                new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(response.status()));
        fill(head, response);
        head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        context.writeAndFlush(head);
        Stream opened = new Stream(context);
        stream = opened;
        ending = true; // nothing but its end is awaited from the peer
        context.channel().config().setAutoRead(true);
        opened.heartbeat = context.executor()
                .scheduleAtFixedRate(opened::beat, HEARTBEAT_MILLIS, HEARTBEAT_MILLIS, TimeUnit.MILLISECONDS);
        if (response.events() != null) {
            response.events().accept(opened);
        }
    }

    /** Any thread. What is sent to one peer that listens. */
    private static final class Stream implements Response.Events {
        private final ChannelHandlerContext context;
        private @Nullable ScheduledFuture<?> heartbeat;
        private boolean closed;
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>(1);

        Stream(ChannelHandlerContext context) {
            this.context = context;
        }

        @Override
        public boolean send(String type, String data) {
            return write("event: " + type + "\ndata: " + data + "\n\n");
        }

        private void beat() {
            write(": \n\n");
        }

        private boolean write(String text) {
            if (!context.channel().isActive() || !context.channel().isWritable()) {
                return false;
            }
            ByteBuf bytes = Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8));
            context.writeAndFlush(new DefaultHttpContent(bytes));
            return true;
        }

        @Override
        public void whenClosed(Runnable task) {
            context.executor().execute(() -> {
                if (closed) {
                    task.run();
                } else {
                    waiting.add(task);
                }
            });
        }

        @Override
        public void close() {
            context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT).addListener(ChannelFutureListener.CLOSE);
        }

        /** On the loop. */
        private void closed() {
            closed = true;
            if (heartbeat != null) {
                heartbeat.cancel(false);
            }
            while (!waiting.isEmpty()) {
                waiting.remove().run();
            }
        }
    }

    // ---- the end

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ending = true;
        stopWaiting();
        while (!ahead.isEmpty()) {
            ReferenceCountUtil.release(ahead.remove());
        }
        if (stream != null) {
            stream.closed();
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
        if (!(failure instanceof IOException)) {
            LOG.debug("A connection of HTTP ends", failure);
        }
        context.close();
    }
}
