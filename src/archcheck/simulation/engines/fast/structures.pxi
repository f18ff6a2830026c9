# What is in memory during a run.
#
# Everything is a plain C structure. What the plan says is in tables of a fixed size; what comes and
# goes with requests is taken from slabs and given back, so memory follows what is in flight, never
# what has been simulated. Nothing has an owner in the sense of an object: an attempt and a request
# count who still refers to them (``refs``), and go with the last one.

ctypedef uint8_t flag
ctypedef uint64_t Key

cdef struct Attempt
cdef struct Recorder
cdef struct Call
cdef struct Caller
cdef struct Content
cdef struct Delivery
cdef struct Engine
cdef struct Entry
cdef struct NodeGroup
cdef struct Join
cdef struct Loading
cdef struct Operation
cdef struct Replica
cdef struct Request
cdef struct Site
cdef struct Source
cdef struct Subscribers
cdef struct Travel
cdef struct Visit
cdef struct Walk

# -- plain containers ------------------------------------------------------------------------------

cdef struct Slab:
    size_t size
    void *free  # each free object begins with a pointer to the next

cdef struct Slot:
    Key key
    uint64_t value  # 0: the slot is free

cdef struct Map:
    Slot *slots
    size_t room
    size_t count

cdef struct List:
    void **items
    size_t count
    size_t room

cdef struct Thunk:
    uint64_t kind
    void *what

cdef struct Ring:
    Thunk *thunks
    size_t first
    size_t count
    size_t room

cdef struct Note:
    Note *next
    double seconds
    uint32_t code

cdef struct Notes:
    Note *first
    Note *last

# -- what is written down --------------------------------------------------------------------------

cdef struct Histogram:
    uint64_t count
    double sum
    double max
    uint64_t zeros
    uint64_t *buckets
    long lowest  # the bucket that ``buckets`` begins with
    long room

cdef struct Tally:
    uint64_t started
    uint64_t answered
    Histogram latency[6]

cdef struct Row:
    uint64_t count
    double total
    double *seconds
    size_t room

cdef struct Attribution:
    Map places  # code to its column, plus one
    size_t columns
    size_t columns_room
    uint32_t *codes
    Row *rows
    long lowest
    long room
    Row zero

cdef struct Failures:
    Map places  # code to its row, plus one
    size_t count
    size_t room
    uint32_t *codes
    uint64_t *counts
    uint64_t *series

cdef struct Batches:
    size_t size
    size_t count
    size_t filled
    double *starts
    double *sums

cdef struct Journey:
    int count
    int *entries
    int rank
    Tally tally
    Attribution attribution
    Failures failures
    Batches batches
    uint64_t *finished
    uint64_t *failed
    Histogram *series

cdef struct StationRecord:
    double busy
    double waiting
    double capacity
    uint64_t visits
    uint64_t ended
    uint64_t rejected
    double waited
    double residence
    double busiest
    double throttled
    uint64_t left_waiting

cdef struct Station:
    double servers
    double quota  # of CPU time in a period; infinite: there is none
    double lasting
    flag is_limited
    flag is_bounded
    double queue
    int discipline
    StationRecord record
    double *busy_series
    double *capacity_series
    double *waiting_series

# -- distributions ---------------------------------------------------------------------------------

cdef struct Sampler:
    double a
    double b
    int shape
    double *values
    double count

cdef struct Zipf:
    flag is_given
    double count
    double skew
    double first  # the integral of the weights from the first key
    double last

# -- what the plan says ----------------------------------------------------------------------------

cdef struct Step:  # what most steps need comes first
    int kind
    int call
    Key draws
    Sampler sampler
    double number
    Key place
    int *blocks
    int channel
    int branches
    int required
    int cache
    flag *waited
    Zipf keys

cdef struct Block:
    Step *steps
    int count

cdef struct Operation:
    int index
    Key place
    Key draws
    int group
    int block
    int limit
    double error_rate
    double errors
    double slowness
    int flushed
    flag beside
    Caller *outsider
    Tally tally

cdef struct Site:
    int index
    Operation *operation
    int balance
    int pool
    int source
    int target
    Key place
    Key node_draws
    Key jitter_draws
    double there
    double back
    double across
    Zipf keys
    double timeout
    int64_t attempts
    double backoff
    double factor
    double max_backoff
    flag jitter
    int retried
    flag optional
    int fallback
    flag inherits
    flag tells
    flag drops
    flag stops
    int64_t hedges
    double hedge_after
    int bulkhead
    int breaker
    int limit
    int budget
    flag ejects
    flag counts_outstanding
    Attempt *watched_first
    Attempt *watched_last
    flag is_set
    uint64_t calls
    uint64_t retries
    uint64_t hedged
    uint64_t outcomes[6]
    uint64_t hits
    uint64_t misses
    uint64_t joined

cdef struct Pool:
    double size
    double max_wait
    StationRecord record

cdef struct BreakerSpec:
    double failure_rate
    double slow_rate
    double slow
    double window
    flag timed
    double minimum
    double open_for
    double probes
    uint64_t opened

cdef struct LimitSpec:
    double rate
    double burst
    int scope

cdef struct BudgetSpec:
    double ratio
    double floor

cdef struct CacheSpec:
    int index
    Key life_draws
    flag shared
    double capacity
    double ttl
    flag jitter
    flag coalesced

cdef struct Channel:
    flag keyed
    Key draws
    double delay
    int subscriptions
    Subscribers *subscribers
    uint64_t unread

cdef struct Fault:
    int kind
    double start
    double end
    int count
    int *operations
    double factor
    int group
    int64_t nodes
    int zone
    int caches_count
    int *caches
    int64_t surge
    int64_t gone
    double start_up
    double grace
    List victims

# -- what callers keep -----------------------------------------------------------------------------

cdef struct Bucket:
    double rate
    double burst
    double tokens
    double since

cdef struct Second:
    int64_t second
    int64_t calls
    int64_t failed
    int64_t slow

cdef struct Window:
    Second *seconds
    size_t first
    size_t count
    size_t room

cdef struct Budget:
    BudgetSpec *spec
    Window window
    int64_t firsts
    int64_t retries

cdef struct Breaker:
    BreakerSpec *spec
    uint64_t opened
    double open_until
    flag is_open
    flag is_half_open
    int64_t probes_left
    int64_t generation
    Window window
    int64_t calls
    int64_t failed
    int64_t slow
    double size
    flag timed
    double minimum

cdef struct Ejection:
    Replica *replica
    double until

cdef struct Link:  # a caller at one of its call sites
    Recorder *pool
    Recorder *bulkhead
    Breaker *breaker
    Bucket *limit
    Budget *budget

cdef struct Caller:
    Key place
    int zone
    flag is_dead
    double born
    Map kept  # what it keeps: kind and index to a pointer
    Map turns
    Map outstanding
    Map failures
    Ejection *ejected
    size_t ejected_count
    size_t ejected_room
    Loading *loadings_first
    Loading *loadings_last

cdef struct Replica:
    Caller caller  # first: a replica is a caller
    NodeGroup *node_group
    int64_t index
    uint64_t serial
    flag is_draining
    Recorder *slots
    Recorder *cores
    Recorder *gate
    flag is_gated
    Request *first
    Request *last
    int64_t messages
    double used

cdef struct NodeGroup:
    int index
    Key place
    int64_t initial
    int slots
    int cores
    int host
    int zones_count
    int *zones
    double detection
    double shed
    int ranks_count
    int *ranks
    int lines
    int64_t started
    List nodes
    List rotation
    Map by_index
    uint64_t scaled_out
    uint64_t scaled_in

# -- servers ---------------------------------------------------------------------------------------

cdef struct Visit:  # one stay, from asking for a server until giving it back
    Recorder *recorder
    Visit *before  # inside, in the order of coming
    Visit *after
    Visit *ahead  # in line
    Visit *behind
    double since
    void *owner
    flag granted  # what happens when the server is there
    flag is_served
    flag is_gone
    int line

cdef struct Line:
    Visit *first
    Visit *last

cdef struct Job:
    double due
    uint64_t number
    Walk *walk

cdef struct Recorder:  # what every visit touches comes first
    double busy
    double waiting
    double servers
    double last
    double busy_seconds
    double waiting_seconds
    double server_seconds
    StationRecord *record
    Visit *first
    Visit *final
    flag is_limited
    flag is_shared
    flag is_bounded
    flag is_closed
    flag is_stuck
    int lines_count
    Line *lines
    Job *jobs
    size_t jobs_count
    double cores
    double virtual
    double changed
    uint64_t number
    uint64_t version
    Line line
    size_t jobs_room
    size_t inside  # of those under a CPU limit
    double limit
    int station
    double start_busy
    double start_waiting
    double start_servers
    double shown_busy
    double shown_waiting
    double shown_servers
    Throttle *throttle

cdef enum Happening:  # to cores under a CPU limit, unless something changes before
    DONE
    USED_UP
    NEW_PERIOD

cdef struct Throttle:  # what cores under a CPU limit remember
    double quota
    double used
    double born
    double period_ends
    uint64_t periods
    int happening
    flag is_for_all  # at an equal share each; else a job each
    flag stands_still
    double seconds
    double start_seconds

cdef struct Finish:
    Recorder *recorder
    uint64_t version

# -- requests --------------------------------------------------------------------------------------

cdef struct Frame:
    Frame *below
    Block *block
    int position
    Key key
    Step *again
    int64_t number
    Loading *loading

cdef struct Walk:
    Request *request
    Join *parent  # of a branch that is waited for
    Walk *sibling
    Block *block
    int position
    int rank
    Key key
    double deadline
    Notes notes
    Frame *stack
    Call *call
    Join *join
    int *answered  # where a call that has its answer at once says so
    double asked
    double seconds
    Visit visit  # at the cores

cdef struct Request:
    Walk walk  # first: a request is a walk
    Visit visit  # at the servers that are held
    Operation *operation
    Replica *replica
    Replica *home
    void *origin
    flag is_message
    flag is_late
    flag is_cancelled
    flag is_degraded
    flag is_over
    flag is_stopped
    flag is_inside
    flag has_visit
    int loading
    Key root
    double since
    Request *before
    Request *after
    int64_t refs

cdef struct Join:
    Walk *walk
    Walk *branches
    int missing
    int refs
    flag is_over

cdef struct Call:
    Caller *caller
    Key client  # whose limits count, at a callee that has them for each client
    Link *link
    Site *site
    void *asker
    Step *lookup
    flag is_journey
    Key root
    Key key
    int rank
    double deadline
    int64_t number
    int64_t tries
    double since
    double try_since
    Attempt *open
    flag is_given_up
    int64_t refs

cdef struct Hedge:
    Call *call
    int64_t first
    int64_t made

cdef struct Attempt:
    Call *call
    Key key
    double since
    double deadline
    double travel
    Notes notes
    Notes answer
    Visit *connection
    Visit *permit
    Request *request
    Replica *replica
    Attempt *next
    Attempt *watched_before
    Attempt *watched_after
    int64_t ticket
    int64_t refs
    flag outcome
    flag is_settled
    flag is_watched
    flag is_cut

# -- caches and messages ---------------------------------------------------------------------------

cdef struct Entry:
    Key key
    double expires
    Entry *older
    Entry *newer

cdef struct Content:
    CacheSpec *spec
    Map entries
    Entry *oldest
    Entry *newest
    Map loading

cdef struct Waiter:
    Waiter *next
    Walk *walk
    double since

cdef struct Loading:
    Content *content
    Key key
    Key filler
    Request *request
    Caller *caller
    Loading *before
    Loading *after
    Waiter *first
    Waiter *last
    flag is_over

cdef struct Subscribers:
    Channel *channel
    Operation *operation
    Key place
    int64_t concurrency
    int64_t partitions
    flag ordered
    int64_t deliveries
    double visibility
    int dead
    flag once
    NodeGroup *node_group
    NodeGroup *host
    List homes  # replicas that are up and are to stay
    int64_t members
    Map held  # serial of a replica to the messages that it works on, plus one
    int64_t next_partition
    size_t next_home
    uint64_t redelivered
    uint64_t dead_letters
    uint64_t dropped

cdef struct Message:
    Subscribers *group
    Key root
    Key key

cdef struct Delivery:
    Subscribers *group
    Key root
    Key key
    int64_t partition
    int64_t number
    Request *latest  # the newest delivery, until it has ended
    flag is_done
    flag is_out_of_time
    int64_t refs  # deliveries that go on, and events to come

cdef struct Visibility:
    Delivery *delivery
    int64_t number

# -- what comes ------------------------------------------------------------------------------------

cdef struct Choice:
    int journey
    double reached

cdef struct Choices:
    Choice *items
    int count

cdef struct Source:
    int kind
    Key place
    Key draws
    Choices mix
    double rate
    double high
    double period
    int64_t users
    Sampler think
    int points_count
    double *points
    int64_t times_count
    double *times
    flag has_session
    int first_journey
    Choices *rows
    Sampler pause
    double start
    double end
    double factor
    Key clients
    Caller *caller
    # where its arrivals have got to
    double now
    Key gaps
    Key candidates
    Key accepted
    int64_t copies
    double copied
    Key number
    Key next_number
    flag busy
    double until
    Key changes
    double state_rate

cdef struct User:
    Source *source
    Caller *caller
    Key key
    Key client
    Key entry
    Key round

cdef struct Session:
    Source *source
    Caller *caller
    Key key
    Key client
    Key round
    int journey
    User *user

cdef struct Travel:
    Journey *journey
    Source *source
    Caller *caller
    Key key
    Key client
    double since
    Notes notes
    int next
    flag is_degraded
    User *user
    Session *session

# -- what comes and goes on purpose ----------------------------------------------------------------

cdef struct Wish:
    double time
    int64_t size

cdef struct Autoscaler:
    NodeGroup *node_group
    int64_t least
    int64_t most
    double target
    double requested
    double period
    double tolerance
    double stabilisation
    double start_up
    List starting
    Wish *wishes
    size_t wishes_count
    size_t wishes_room

cdef struct Start:  # a replica that is not ready yet
    Autoscaler *scaler
    flag is_cancelled

cdef struct Replacement:
    NodeGroup *node_group
    Fault *fault
    List old
    int64_t size
    int64_t starting
    int64_t ready

cdef struct Span:
    int32_t kind
    int32_t index
    Key root
    Key key
    double start
    double end
    int32_t outcome

# -- one run ---------------------------------------------------------------------------------------

cdef struct Engine:
    EventList events
    Ring soon
    double time
    double duration
    double until
    double warmup
    uint64_t processed
    uint64_t still
    uint64_t *late[8]  # counters that are still to be counted up
    size_t late_next
    uint64_t nothing
    double bucket_seconds
    long bucket
    int nested
    Escape escape
    void *memory  # all that was allocated
    Key seed
    Key node_place
    uint64_t serial
    # slabs
    Slab notes
    Slab frames
    Slab visits
    Slab requests
    Slab walks
    Slab joins
    Slab calls
    Slab attempts
    Slab travels
    Slab sessions
    Slab small
    Slab entries
    Slab client_buckets
    # the plan's tables
    Block *blocks
    Operation *operations
    int operations_count
    Site *sites
    int sites_count
    Station *stations
    int stations_count
    NodeGroup *node_groups
    int node_groups_count
    Pool *pools
    int pools_count
    Pool *bulkheads
    int bulkheads_count
    BreakerSpec *breakers
    int breakers_count
    LimitSpec *limits
    Bucket *buckets
    int limits_count
    BudgetSpec *budgets
    CacheSpec *caches
    Content *contents
    int caches_count
    Channel *channels
    int channels_count
    Source *sources
    int sources_count
    Journey *journeys
    int journeys_count
    Fault *faults
    int faults_count
    Autoscaler *scalers
    int scalers_count
    Key *clients  # of each group
    Map buckets_of_clients
    flag has_clients
    flag may_deadlock
    # what grows
    List recorders
    Map outsiders
    Map cuts
    # what is traced
    flag is_traced
    flag is_draining
    double share
    Key sampling
    uint64_t slice
    Span *spans
    size_t spans_count
    size_t spans_room
    int interval
    flag is_over
